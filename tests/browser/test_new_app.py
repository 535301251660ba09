"""The page of a new app, on a real engine: from a text to an app that serves, as a new person would."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.terminal_page import cookies_of
from tests.support import ServerProcess, patient, script, wait_until
from tests.team_support import PASSWORD, person_in
from tests.terminal_support import Person

pytestmark = [pytest.mark.browser, pytest.mark.engine]

SERVE = 'mkdir -p /www; echo "hello from {name}" > /www/index.html; exec httpd -f -p 8080 -h /www'
DOCKERFILE = """FROM cloudbang-test/busybox:1
RUN mkdir -p /www && echo "hello from a Dockerfile" > /www/index.html
COPY page.html /www/page.html
EXPOSE 8080
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
"""


@pytest.fixture(scope="module")
def base() -> str:
    return script("test-image", "cloudbang-test/busybox:1")


@pytest.fixture
def name() -> str:
    return f"new-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def opened(page: Page, server: ServerProcess, sign_in: Any) -> Page:
    sign_in(page, server)
    page.goto(f"{server.url}/")
    page.locator("#new-app-link").click()
    expect(page.get_by_role("textbox", name="Image", exact=True)).to_be_focused()
    return page


def spec_of(page: Page) -> str:
    """What the YAML view shows."""
    page.get_by_role("button", name="YAML").click()
    text = page.get_by_role("textbox", name="The app as YAML").input_value()
    page.get_by_role("button", name="Form", exact=True).click()
    return text


def test_form_and_yaml_are_one_thing(opened: Page) -> None:
    """An edit in one is in the other; what the form does not know stays; a text that is none says
    its line and changes nothing."""
    page = opened
    expect(page.get_by_role("combobox", name="Team", exact=True)).to_have_count(0)  # of one alone
    page.get_by_role("textbox", name="Image", exact=True).fill("nginx:1.27")
    expect(page.get_by_role("textbox", name="App name", exact=True)).to_have_value("nginx")
    page.get_by_role("textbox", name="Port", exact=True).fill("80")
    expect(page.get_by_role("checkbox", name="People open it in a browser")).to_be_checked()
    page.get_by_role("button", name="YAML").click()
    area = page.get_by_role("textbox", name="The app as YAML")
    expect(area).to_have_value("image: nginx:1.27\nport: 80\nroute: {}\n")
    area.fill("# ours\nimage: nginx:1.27\nport: 80\ntmpfs:\n  - /tmp\nenv:\n  A: b\n")
    page.get_by_role("button", name="Form", exact=True).click()
    expect(page.get_by_text("Also set, in the YAML alone: tmpfs")).to_be_visible()
    page.locator("summary", has_text="Variables and secrets").click()
    page.get_by_role("textbox", name="Variables: Value").fill("c")
    assert spec_of(page) == "# ours\nimage: nginx:1.27\nport: 80\ntmpfs:\n  - /tmp\nenv:\n  A: c\n"
    page.get_by_role("button", name="YAML").click()
    area.fill("image: nginx\nenv: [\n")
    expect(page.get_by_text(re.compile(r"^Line \d: "))).to_be_visible()
    expect(page.get_by_text("The YAML is not complete yet.")).to_be_visible()


def paste(page: Page, text: str) -> None:
    """Into the field that has the focus."""
    page.evaluate(
        """text => {
          const field = document.activeElement, data = new DataTransfer();
          data.setData("text", text);
          field.dispatchEvent(new ClipboardEvent("paste",
            {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        text,
    )


def test_back_leads_to_the_way_before(opened: Page) -> None:
    """And a reload stays with the one that was chosen."""
    opened.get_by_role("textbox", name="Image", exact=True).fill("nginx:1.27")
    ways = opened.locator(".new-app [data-way]")
    for way in ("folder", "git"):
        opened.locator(f'[data-way="{way}"]').click()
    opened.reload()
    expect(ways.nth(2)).to_have_attribute("aria-pressed", "true")
    opened.go_back()
    expect(ways.nth(1)).to_have_attribute("aria-pressed", "true")
    opened.go_back()
    expect(ways.nth(0)).to_have_attribute("aria-pressed", "true")
    expect(opened.get_by_role("textbox", name="Image", exact=True)).to_be_visible()


def test_a_run_line_fills_the_form(opened: Page) -> None:
    """As it stands in a document."""
    page = opened
    paste(
        page,
        "[root@web ~]# docker volume create data\n"
        "[root@web ~]# docker run -d --name shop \\\n -p 8080:80 --privileged -e A=b --restart unless-stopped nginx:1\n",
    )
    expect(page.get_by_role("textbox", name="App name", exact=True)).to_have_value("shop")
    expect(page.get_by_text("--privileged")).to_be_visible()
    expect(page.get_by_text("docker volume create data")).to_be_visible()
    page.get_by_role("button", name="Put it behind the gateway").click()
    expect(page.get_by_label("When it ends")).to_have_value("always")
    spec = "image: nginx:1\nenv:\n  A: b\nrestart: always\nport: 80\nroute: {}\n"
    assert spec_of(page) == spec


def test_the_page_of_a_source_says_branch_and_folder(opened: Page) -> None:
    page = opened
    paste(page, "https://example.com/team/web/tree/main/shop")
    field = page.get_by_role("textbox", name="Git address", exact=True)
    expect(field).to_have_value("https://example.com/team/web")
    expect(page.get_by_role("textbox", name="Branch or tag")).to_have_value("main")
    expect(page.get_by_role("textbox", name="Sub-folder")).to_have_value("shop")
    expect(page.get_by_role("textbox", name="App name", exact=True)).to_have_value("web")
    field.fill("git@example.com:team/web.git")
    field.blur()
    expect(field).to_have_value("https://example.com/team/web.git")


def test_errors_are_at_their_fields(opened: Page, server: ServerProcess) -> None:
    page = opened
    page.get_by_role("textbox", name="Image", exact=True).fill("nginx")
    page.locator("summary", has_text="Instances and limits").click()
    page.get_by_role("textbox", name="Memory", exact=True).fill("lots")
    page.keyboard.press("Control+Enter")
    field = page.get_by_role("textbox", name="Memory", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".spec-row", has=field)).to_contain_text("is not an amount of bytes")
    expect(field).to_be_focused()
    field.fill("")
    page.locator("summary", has_text="Ports, networks").click()
    rows = page.get_by_role("group", name="Ports of the machine")
    for published, target in (("8001", "80"), ("", ""), ("8002", "many")):
        rows.get_by_role("button", name="A port").click()
        rows.get_by_role("textbox", name="Port of the machine").last.fill(published)
        rows.get_by_role("textbox", name="Port of the app").last.fill(target)
    page.keyboard.press("Control+Enter")
    wrong = rows.get_by_role("textbox", name="Port of the app").nth(2)
    expect(wrong).to_be_focused()
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_accessible_description("Many is not a whole number from 1 to 65535")
    expect(rows.locator("[aria-invalid]")).to_have_count(1)
    expect(rows.get_by_role("alert")).to_have_count(1)
    rows.get_by_role("textbox", name="Port of the machine").first.fill("8002")
    wrong.fill("80")
    expect(rows.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    expect(rows.get_by_role("textbox", name="Port of the machine").nth(2)).to_be_focused()
    expect(rows.get_by_role("alert")).to_contain_text("8002/tcp is there twice")
    wrong.fill("81")
    rows.get_by_role("textbox", name="Port of the machine").nth(2).fill("8003")
    page.get_by_role("checkbox", name="People open it in a browser").check()
    page.get_by_role("textbox", name="Port", exact=True).fill("80")
    page.locator("summary", has_text="Command").click()
    job = page.get_by_role("checkbox", name="It is meant to end")
    job.check()
    page.keyboard.press("Control+Enter")
    expect(job).to_be_focused()
    said = "Only one of job and route can be given"
    expect(job).to_have_accessible_description(re.compile(said))
    expect(page.locator(".spec-row", has=job)).to_contain_text(said)
    assert spec_of(page).endswith("job: true\n")
    job.uncheck()
    page.get_by_role("textbox", name="App name", exact=True).fill("a/b")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("textbox", name="App name", exact=True)).to_be_focused()


def test_a_team_is_asked_for_where_there_are_several(
    page: Page, server: ServerProcess, name: str
) -> None:
    """`default` unless another is chosen, for each way."""
    roles = {"default": "admin", "blue": "admin"}
    person_in(server.storage, name, roles)
    with Person(server, name, PASSWORD) as person:
        page.context.add_cookies(cookies_of(person))
    page.goto(f"{server.url}/new")
    team = page.get_by_role("combobox", name="Team", exact=True)
    expect(team).to_have_value("default")
    team.select_option("blue")
    with page.expect_request("**/plan") as asked:
        page.get_by_role("textbox", name="Image", exact=True).fill(f"{name}:1")
    assert asked.value.post_data_json == {"spec": {"image": f"{name}:1"}, "team": "blue"}
    expect(page.get_by_text(f"{name} is new")).to_be_visible()
    page.get_by_role("button", name="Compose file").click()
    expect(team).to_have_value("default")
    team.select_option("blue")
    with page.expect_request("**/plan") as asked:
        page.get_by_role("textbox", name="Compose file").fill("services: {web: {image: web}}")
    assert asked.value.post_data_json["team"] == "blue"


def test_a_source_without_a_dockerfile_gets_one(opened: Page, tmp_path: Path) -> None:
    """Shown, with its port; edited, it is what is kept."""
    page, folder = opened, tmp_path / "My Shop"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "node_modules" / "x.js").write_text("x")
    (folder / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (folder / "requirements.txt").write_text("flask\n")
    (folder / ".dockerignore").write_text("node_modules\n")
    page.get_by_role("button", name="Dockerfile", exact=True).click()
    page.locator("input[type=file]").set_input_files(folder)
    expect(page.get_by_text("This one is for Python, by its requirements.txt")).to_be_visible()
    expect(page.get_by_text("1 left out by .dockerignore.")).to_be_visible()
    expect(page.get_by_role("textbox", name="App name", exact=True)).to_have_value("my-shop")
    expect(page.get_by_role("textbox", name="Port", exact=True)).to_have_value("8000")
    area = page.locator(".spec-recipe")
    expect(area).to_have_value(re.compile("^FROM python:3.12-slim\n"))
    area.fill("FROM scratch\n")
    assert "FROM scratch" in spec_of(page)


def drop(page: Page, path: Path) -> None:
    """Onto the place for a folder, as from a window of the desktop."""
    zone = page.locator(".new-drop").bounding_box()
    assert zone
    session = page.context.new_cdp_session(page)
    for event in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": event,
                "x": zone["x"] + 9,
                "y": zone["y"] + 9,
                "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1},
            },
        )


def test_a_folder_is_dropped(opened: Page, tmp_path: Path, swarm_was_off: bool) -> None:
    """With what is below it, however large, and without links; what is not there any more when it
    is sent is named, and CloudBang is not said to be away."""
    page, folder = opened, tmp_path / "shop"
    for below in ("sub/deep", "node_modules/x", ".git"):
        (folder / below).mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\nEXPOSE 8080\n")
    (folder / ".dockerignore").write_text("node_modules\n")
    (folder / "node_modules" / "x" / "a.js").write_text("a")
    for n in range(120):
        (folder / "sub" / "deep" / f"{n}.txt").write_text("x")
    with (folder / "large").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    (folder / "link").symlink_to("sub/deep")
    (folder / "nowhere").symlink_to("none")
    page.get_by_role("button", name="Dockerfile", exact=True).click()
    drop(page, folder)
    found = page.get_by_text("It is built with its Dockerfile.")
    expect(found).to_contain_text("shop: 123 files, 104.9 MB. 1 left out by .dockerignore.")
    expect(page.get_by_role("textbox", name="App name", exact=True)).to_have_value("shop")
    expect(page.get_by_text("shop is new")).to_be_visible()
    (folder / "sub" / "deep" / "7.txt").unlink()
    page.keyboard.press("Control+Enter")
    if swarm_was_off:  # asked before anything is sent
        page.get_by_role("button", name="Switch it on and deploy").click()
    expect(page.get_by_text("The browser cannot read sub/deep/7.txt")).to_be_visible()


@pytest.fixture
def swarm_was_off(docker_client: docker.DockerClient) -> Iterator[bool]:
    """Afterwards the engine's Swarm is as it was: off again, or without what was deployed here."""
    was_off = docker_client.info()["Swarm"]["LocalNodeState"] == "inactive"
    before = set() if was_off else {one.id for one in docker_client.services.list()}
    yield was_off
    if was_off:
        docker_client.swarm.leave(force=True)
        return
    for service in docker_client.services.list():
        if service.id not in before:
            service.remove()


@pytest.mark.own_server
@pytest.mark.slow("Swarm is switched on, an image is built, and the app is watched for 15 s")
def test_from_a_folder_to_an_app_that_answers(
    opened: Page,
    base: str,
    name: str,
    tmp_path: Path,
    server: ServerProcess,
    swarm_was_off: bool,
) -> None:
    """A folder with a Dockerfile, one press of Deploy, the yes to Swarm; then it answers through
    the gateway, and its log is there."""
    page, folder = opened, tmp_path / name
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE.replace("cloudbang-test/busybox:1", base))
    (folder / "page.html").write_text("sent along")
    page.get_by_role("button", name="Dockerfile", exact=True).click()
    page.locator("input[type=file]").set_input_files(folder)
    expect(page.get_by_text("It is built with its Dockerfile.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Port", exact=True)).to_have_value("8080")
    expect(page.get_by_text(f"{name} is new")).to_be_visible()
    page.keyboard.press("Control+Enter")
    if swarm_was_off:
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Switch Docker's Swarm mode on?")
        dialog.get_by_role("button", name="Switch it on and deploy").click()
    expect(page).to_have_url(re.compile(r"/deployments/\d+$"))
    id = int(page.url.rsplit("/", 1)[1])
    wait_until(lambda: deployment_state(server, id) != "running", 120, "its end", every=0.5)
    assert deployment_state(server, id) == "serving", server.said()
    port = server.environ.get("CLOUDBANG_GATEWAY_HTTP_PORT", "8180")
    headers = {"Host": f"{name}.localhost:{port}"}
    answer = httpx.get(
        f"http://127.0.0.1:{port}/page.html", headers=headers, trust_env=False, timeout=patient(20)
    )
    assert answer.text == "sent along"


def deployment_state(server: ServerProcess, id: int) -> str:
    """queued counts as running."""
    state = str(server.get(f"/api/v1/deployments/{id}")["state"])
    return "running" if state == "queued" else state


@pytest.mark.own_server
@pytest.mark.slow("two apps are deployed one after the other, each watched until it is steady")
def test_a_compose_file_becomes_apps_that_find_each_other(
    opened: Page, base: str, name: str, server: ServerProcess, swarm_was_off: bool
) -> None:
    """In their order; the second asks the first by the name that the file gives it."""
    page = opened
    page.get_by_role("button", name="Compose file").click()
    file = (
        f"name: {name}\nservices:\n"
        f"  back: {{image: '{base}', stop_signal: SIGKILL, command: ['sh', '-c', 'mkdir /w; echo found >/w/index.html; exec httpd -f -p 80 -h /w']}}\n"
        f"  front: {{image: '{base}', stop_signal: SIGKILL, depends_on: [back], command: "
        "['sh', '-c', 'while :; do timeout 3 wget -qO- http://back/; sleep 1; done']}\n"
    )
    page.get_by_role("textbox", name="Compose file").fill(file)
    expect(page.locator(".new-order")).to_contain_text(f"{name}.front is new")
    page.get_by_role("button", name="Deploy", exact=False).last.click()
    if swarm_was_off:
        page.get_by_role("button", name="Switch it on and deploy").click()
    expect(page).to_have_url(re.compile(rf"/deployments\?stack={name}&run=\d+$"))
    front = page.locator(".stack-parts [data-service=front]")
    expect(front).to_contain_text("waits until back serves")
    path = f"/api/v1/stacks/{name}/deployments"

    def ended() -> Any:
        run = server.get(path)["runs"][0]
        return run if run["state"] != "running" else None

    run = wait_until(ended, 120, "the stack's end", every=0.5)
    assert [part["state"] for part in run["parts"]] == ["serving", "serving"], server.said()
    wait_until(
        lambda: any(line[4] == "found" for line in server.lines(f"{name}.front")),
        30,
        "an answer of the other",
        every=0.5,
    )
    expect(page.get_by_text("All of it serves.")).to_be_visible()
    page.goto(f"{server.url}/new?from=compose")  # the same once more, as one who is not sure
    area = page.get_by_role("textbox", name="Compose file")
    area.fill(file)
    expect(page.locator(".new-order")).to_contain_text(f"{name}.front")
    page.get_by_role("button", name="Deploy", exact=False).last.click()
    expect(page.get_by_role("status").filter(has_text="Nothing has changed")).to_be_visible()
    assert len(server.get(path)["runs"]) == 2
    assert len(server.get("/api/v1/deployments")["deployments"]) == 2
