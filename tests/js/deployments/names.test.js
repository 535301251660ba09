// Names that apps are proposed, and what a pasted text is taken for.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  credentialsPath,
  isName,
  gitSource,
  kindOf,
  nameOf,
  nameOfAddress,
  nameOfImage,
  registryOf,
} from "../../../static/js/deployments/names.js";
import { lineOf } from "../../../static/js/lib/command_line.js";
import { linesOfEnv } from "../../../static/js/deployments/form_rows.js";

test("an app is called as its image, folder or repository is", () => {
  assert.equal(nameOfImage("nginx:1.27"), "nginx");
  assert.equal(nameOfImage("localhost:5000/team/Web_App@sha256:00"), "web_app");
  assert.equal(nameOfAddress("https://example.com/team/web.git/"), "web");
  assert.equal(nameOfAddress("git@example.com:team/my.site.git"), "my.site");
  assert.equal(nameOfAddress("https://example.com"), "");
  assert.equal(nameOf("My Shop (2)"), "my-shop-2");
  assert.equal(nameOf("商店"), "");
  for (const name of ["..", "a b", "-a", "", "a/b", "x".repeat(129)])
    assert.ok(!isName(name), name);
  for (const name of ["web", "shop.db", "_x", "A-1"]) assert.ok(isName(name), name);
});

test("the registry of an image is told from a folder of Docker's", () => {
  assert.equal(registryOf("team/web"), "");
  assert.equal(registryOf("registry.example.com/web"), "registry.example.com");
  assert.equal(registryOf("localhost/web"), "localhost");
  assert.equal(registryOf("host:5000/team/web:1"), "host:5000");
});

test("what is pasted is taken for what it is", () => {
  assert.equal(kindOf("docker run -d nginx"), "run");
  assert.equal(kindOf("  $ sudo docker run \\\n -p 80:80 nginx"), "run");
  assert.equal(kindOf("podman run x"), "run");
  assert.equal(kindOf("[root@web ~]# docker run -d nginx"), "run");
  assert.equal(kindOf("docker volume create data\ndocker run -v data:/x web"), "run");
  assert.equal(kindOf("services:\n  web:\n    command: docker run x\n"), "compose");
  assert.equal(kindOf("git clone https://example.com/team/web.git"), "git");
  assert.equal(kindOf("version: '3'\nservices:\n  web:\n    image: x\n"), "compose");
  assert.equal(kindOf("https://example.com/team/web.git"), "git");
  assert.equal(kindOf("git@example.com:team/web"), "git");
  assert.equal(kindOf("nginx:1.27"), "image");
  assert.equal(kindOf("docker/compose-bin"), "image");
});

test("a Git source is known by its page, its command and its address for ssh", () => {
  const cases = [
    ["https://example.com/team/web.git", "https://example.com/team/web.git", "", ""],
    ["git@example.com:team/web.git", "https://example.com/team/web.git", "", ""],
    ["ssh://git@example.com:2222/team/web.git", "https://example.com/team/web.git", "", ""],
    ["$ git clone https://example.com/a/b", "https://example.com/a/b", "", ""],
    ["git clone --depth 1 -b v2 git@example.com:a/b c", "https://example.com/a/b", "v2", ""],
    ["https://github.com/a/b/tree/main", "https://github.com/a/b", "main", ""],
    ["https://github.com/a/b/tree/main/x/y/", "https://github.com/a/b", "main", "x/y"],
    ["https://gitlab.com/a/s/b/-/tree/dev/x?ref=1", "https://gitlab.com/a/s/b", "dev", "x"],
    ["https://git.example.com/a/b/src/branch/main/x", "https://git.example.com/a/b", "main", "x"],
    ["https://gitee.com/a/b/tree/%E5%BA%97/x", "https://gitee.com/a/b", "店", "x"],
    ["nonsense", "nonsense", "", ""],
    ["", "", "", ""],
  ];
  for (const [text, git, branch, folder] of cases) {
    assert.deepEqual(gitSource(text), { git, branch, folder }, text);
  }
});

test("a command is shown as a line that splits into the same words", () => {
  assert.equal(lineOf(["nginx", "-g", "daemon off;"]), "nginx -g 'daemon off;'");
  assert.equal(lineOf(["sh", "-c", "echo it's"]), `sh -c 'echo it'\\''s'`);
  assert.equal(lineOf(["", "a=b"]), "'' a=b");
  assert.equal(lineOf("as it is"), "as it is");
  assert.equal(lineOf(undefined), "");
});

test("the text of a .env file becomes rows", () => {
  assert.deepEqual(linesOfEnv("# c\nA=1\nexport B = \"two words\"\n\nC='x=y'\nnothing\nD=\n"), [
    { name: "A", value: "1" },
    { name: "B", value: "two words" },
    { name: "C", value: "x=y" },
    { name: "D", value: "" },
  ]);
});

test("credentials are kept for the team that has the app", () => {
  const all = "/api/v1/credentials/registry/localhost%3A5000";
  assert.equal(credentialsPath("registry", "localhost:5000", undefined), all);
  assert.equal(credentialsPath("registry", "localhost:5000", "blue"), `${all}?team=blue`);
});
