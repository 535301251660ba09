"""Images that are built from a source: what they begin with is fetched first, then the engine
builds, step by step, and what it tells goes to the log.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import deque
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import gevent
from gevent.lock import BoundedSemaphore

from cloudbang.config import DeploySettings
from cloudbang.core.loop import yield_to_loop
from cloudbang.deploy.addresses import AddressRefused, allowed_address, host_of
from cloudbang.deploy.build_limits import BuildLimits
from cloudbang.deploy.context import BuildContext
from cloudbang.deploy.disk import EngineDisk
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.log import DeploymentLog
from cloudbang.deploy.pull import Puller
from cloudbang.deploy.told import PacedTell, Tell
from cloudbang.domain.deploy.buildkit import BuildGarbled, BuildProgress, BuildStep, Output
from cloudbang.domain.deploy.dockerfile import Needs, needs_of, without_syntax
from cloudbang.domain.deploy.failure import Failure, FailureClass
from cloudbang.domain.deploy.recipes import recipe_for
from cloudbang.domain.deploy.spec_parts import Build
from cloudbang.engine import Engine
from cloudbang.engine.images import BuildWanted, EngineBuild
from cloudbang.errors import EngineRefused, EngineUnreachable

MOST_OUTPUT = 16 * 1024 * 1024  # bytes of one build that go to its log as they come
LAST = 500  # lines of what comes after that, which go there at its end
SHOWN = 20, 10  # steps that are told of: that were begun, the newest, and that come next
NAME = 80  # characters of one's name
# Said of a build that ended with the engine: we have not cancelled it, or would not look.
_WITH_THE_ENGINE = re.compile(r"context canceled|transport is closing|server closed|shutting down")
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)/\d+\]")
WORTH, LONGEST, PAUSES = 0.001, 0.1, 5  # seconds, seconds, times as long as it took
ANSWERS = 2.0  # seconds in which an engine answers that goes on
NEWEST = 20  # lines of output that may say why a build failed
FRONTEND = "docker/dockerfile"  # the one that the engine's own reader stands in for


class Built(NamedTuple):
    """``recipe``: the Dockerfile that was written for it, "" where the source has its own."""

    id: str  # "sha256:…"
    recipe: str = ""


class Builder:
    """Builds, as many at a time as the settings say."""

    def __init__(
        self,
        engine: Engine,
        puller: Puller,
        disk: EngineDisk,
        settings: DeploySettings,
        *,
        buildkit: bool = True,
    ) -> None:
        self._engine, self._puller, self._disk = engine, puller, disk
        self._within = settings.build_minutes * 60
        self._allowed_hosts: Collection[str] = settings.allowed_hosts
        self._buildkit = buildkit
        self._turns = BoundedSemaphore(settings.builds)
        self._limits = BuildLimits(
            settings.build_cpus, settings.build_memory_bytes, settings.build_cgroup
        )

    def build(
        self, build: Build, source: Path, tag: str, team: str, log: DeploymentLog, tell: Tell
    ) -> Built:
        """Build it and name it ``tag``, with the credentials of that team. Raises StepFailed, EngineUnreachable. Who is ended
        meanwhile comes back when the engine has ended the build."""
        context = BuildContext(source, build.folder, build.dockerfile)
        text, recipe = self._dockerfile(build, context, log)
        needs = needs_of(text, dict(build.args), build.target)
        self._check_downloads(needs)
        self._disk.admit(tag)
        with self._turn(log, tell):
            self._frontend(needs, text, context, team, log, tell)
            for image in needs.images:
                if not image.startswith("sha256:"):  # which is fetched from nowhere
                    self._puller.image(image, team, log, _of_base(tell, image))
            # BuildKit takes an id for the name of a repository.
            ids = any(image.startswith("sha256:") for image in needs.images)
            wanted = BuildWanted(
                id=f"cloudbang-{secrets.token_hex(8)}",
                tag=tag,
                dockerfile=context.dockerfile,
                target=build.target,
                args=dict(build.args),
                buildkit=self._buildkit and not ids and not self._engine.is_podman,
                memory=self._limits.memory,
                cpus=self._limits.cpus,
            )
            self._limit(wanted, log)
            return Built(self._run(wanted, context, log, tell), recipe)

    # --- before it ------------------------------------------------------------------------------

    def _dockerfile(
        self, build: Build, context: BuildContext, log: DeploymentLog
    ) -> tuple[str, str]:
        """The text to build by, and the one that was written for it."""
        if build.recipe:
            if context.text is not None and context.text.strip() != build.recipe.strip():
                log.say(
                    f"the source has a {build.dockerfile}, which is not used: it is built by the one "
                    "that is kept with the app. Empty that one to use the source's"
                )
            context.replace_dockerfile(build.recipe)
            return build.recipe, ""
        if context.text is not None:
            return context.text, ""
        recipe = recipe_for(context.names(), context.texts())
        if recipe is None:
            said = (
                f"there is no {build.dockerfile} in {build.folder}, and nothing that tells how it is "
                "built: add one, or write a recipe"
            )
            raise StepFailed(Failure("build-failed", said, what=build.dockerfile))
        log.say(
            f"there is no {build.dockerfile}: {recipe.found} says that it is {recipe.language}, "
            f"and it is built by this one"
        )
        log.say(recipe.text.rstrip("\n"))
        context.replace_dockerfile(recipe.text)
        return recipe.text, recipe.text

    def _check_downloads(self, needs: Needs) -> None:
        """The engine fetches what ADD names from where it stands, as we would."""
        for url in needs.downloads:
            address = url if "://" in url else f"https://{url.replace('git@', '', 1)}"
            try:
                host, port = host_of("https://" + address.partition("://")[2])
                allowed_address(host, port, self._allowed_hosts)
            except ValueError:
                continue  # no address: the build says so
            except AddressRefused as e:
                if not e.address:
                    continue  # perhaps the engine knows one
                raise StepFailed(
                    Failure("build-failed", str(e), what=f"ADD {url}"[:NAME])
                ) from None

    def _frontend(
        self,
        needs: Needs,
        text: str,
        context: BuildContext,
        team: str,
        log: DeploymentLog,
        tell: Tell,
    ) -> None:
        """Where its first line names a program that is to read it, that is fetched as well; where
        it cannot be, the engine reads it by itself."""
        if not needs.syntax or not self._buildkit:
            return
        try:
            self._puller.image(needs.syntax, team, log, _of_base(tell, needs.syntax))
        except StepFailed as e:
            known = needs.syntax.removeprefix("docker.io/").startswith(FRONTEND)
            if not known or e.failure.kind == "disk-full":
                raise
            log.say(
                f"{needs.syntax}, which the Dockerfile asks for, cannot be fetched "
                f"({e.failure.said}): the engine reads it by itself"
            )
            context.replace_dockerfile(without_syntax(text))

    def _limit(self, wanted: BuildWanted, log: DeploymentLog) -> None:
        if wanted.buildkit and (why := self._without_limit()):
            log.say(f"this build has no limit of processors and memory: {why}")

    def _without_limit(self) -> str:
        """Why what BuildKit runs cannot be given one; "" where it has one now."""
        if self._engine.is_remote:
            return "the engine is on another machine"
        try:
            if self._engine.cgroup_driver() == "systemd":
                return "the engine leaves control groups to systemd, which has none for builds"
        except EngineRefused as e:
            return str(e)
        return self._limits.set()

    def _turn(self, log: DeploymentLog, tell: Tell) -> BoundedSemaphore:
        if self._turns.locked():
            log.say("other builds are under way: waiting for a turn")
            tell({"doing": "wait"})
        return self._turns

    # --- the build ------------------------------------------------------------------------------

    def _run(
        self, wanted: BuildWanted, context: BuildContext, log: DeploymentLog, tell: Tell
    ) -> str:
        """The image's id."""
        progress = BuildProgress(time.time_ns)
        told = _Told(log, progress)
        build: EngineBuild | None = None
        failure: Failure | None = None
        timeout = gevent.Timeout(self._within)
        timeout.start()
        try:
            with PacedTell(tell) as paced:
                build = self._engine.build(wanted, context.tar)
                for lines in build.lines():
                    began = time.thread_time()
                    told.take(lines)
                    paced(told.progress)
                    yield_to_loop()
                    # One that prints without end has a share of us, and waits for it.
                    spent = time.thread_time() - began
                    if spent > WORTH:
                        gevent.sleep(min(LONGEST, spent * PAUSES))
                told.end()
        except gevent.Timeout as e:
            if e is not timeout:
                raise
            said = f"it was given up after {self._within / 60:g} minutes"
            failure = Failure("timed-out", said, what=told.at)
        except EngineRefused as e:
            kind: FailureClass = "disk-full" if _FULL.search(e.reason) else "build-failed"
            failure = Failure(kind, e.reason[:500], what=context.dockerfile)
        except BuildGarbled as e:
            failure = Failure("build-failed", f"the engine tells what nobody understands: {e}")
        finally:
            timeout.close()
            told.end()
            if build is not None and not build.close():
                log.say("the engine has not said within 10 s that it has ended this build")
        failure = failure or self._failure(progress, told)
        if failure is not None:
            # An engine that is told to end ends what it builds first, and says that this failed.
            self._engine.ping(ANSWERS)
            raise StepFailed(failure)
        if not progress.image_id:
            raise EngineUnreachable(self._engine.host, "it ended within a build")
        return progress.image_id

    def _failure(self, progress: BuildProgress, told: _Told) -> Failure | None:
        if not progress.error:
            return None
        if _WITH_THE_ENGINE.search(progress.error):
            raise EngineUnreachable(self._engine.host, "it ended within a build")
        said = progress.error.strip().splitlines()[-1][:500]
        step = progress.failed_step
        what = (step.name if step else told.at) or "Dockerfile"
        # Of a command that could not write, only its own words tell.
        full = next((one for one in (said, *told.newest) if _FULL.search(one)), None)
        if full is not None:
            return Failure("disk-full", full.strip()[:500], progress.exit_code, what=what)
        return Failure("build-failed", said, progress.exit_code, what=what)


class _Told:
    """What a build tells, on its way to the log and into the step's progress."""

    def __init__(self, log: DeploymentLog, progress: BuildProgress) -> None:
        self._log, self._build = log, progress
        self._size = 0
        self._left_lines = self._left_bytes = 0
        self._last: deque[bytes] = deque(maxlen=LAST)
        self._seen: dict[int, BuildStep] = {}
        self._newest: deque[bytes] = deque(maxlen=NEWEST)
        self.at = ""  # the step that was begun last

    @property
    def newest(self) -> list[str]:
        """The last lines of output."""
        return [line.decode("utf-8", "replace") for line in self._newest]

    def take(self, lines: list[bytes]) -> None:
        texts: list[bytes] = []
        for line in lines:
            for found in self._build.feed(line):
                texts += self._output(found) if isinstance(found, Output) else self._step(found)
        self._write(texts)

    def end(self) -> None:
        """What was kept back for the end."""
        self._write([text for found in self._build.end() for text in self._output(found)])
        if self._left_lines:
            left = self._left_lines - len(self._last)
            if left:
                self._log.say(f"… {left:,} lines are left out, it prints too much …")
            self._log.write(self._last)
            self._last.clear()
            self._left_lines = self._left_bytes = 0

    def progress(self) -> Mapping[str, object]:
        """Of its steps, the builder's own left out, ``[name, state, seconds]``."""
        steps = [step for step in self._build.steps if not step.internal]
        now = time.time_ns()
        return {
            "doing": "build",
            "step": self.at[:NAME],
            "steps": [_shown(step, now) for step in _newest(steps)],
            "steps_done": sum(bool(step.finished or step.cached) for step in steps),
            "steps_all": len(steps),
            "left_out": self._left_lines,
        }

    def _write(self, texts: list[bytes]) -> None:
        """Straight on until it is too much; then only the last of it, at its end."""
        taken = 0
        for text in texts:
            if self._size >= MOST_OUTPUT:
                break
            self._size += len(text) + 1
            taken += 1
        self._log.write(texts[:taken])
        for text in texts[taken:]:
            self._left_lines += 1
            self._left_bytes += len(text)
            self._last.append(text)

    def _output(self, output: Output) -> list[bytes]:
        # What a bar has painted over is not shown.
        text = output.text.rsplit(b"\r", 1)[-1]
        self._newest.append(text)
        return [b"#%d %b" % (output.step, text) if output.step else text]

    def _step(self, step: BuildStep) -> list[bytes]:
        """As Docker's plain output has it."""
        before = self._seen.get(step.number)
        self._seen[step.number] = step
        if step.internal and not step.error:
            return []
        said = []
        begun = step.started or step.cached or step.finished
        if begun and not (before and (before.started or before.cached or before.finished)):
            said.append(f"#{step.number} {step.name}")
        if step.started and not step.finished and not step.internal:
            self.at = step.name
        if step.cached and not (before and before.cached):
            said.append(f"#{step.number} CACHED")
        elif step.error and not (before and before.error):
            said.append(f"#{step.number} ERROR: {step.error}")
        elif step.finished and not step.cached and not (before and before.finished):
            said.append(f"#{step.number} DONE {step.seconds or 0:.1f}s")
        return [line.encode("utf-8", "replace") for text in said for line in text.split("\n")]


def _newest(steps: list[BuildStep]) -> list[BuildStep]:
    """In the order in which they were begun; those that wait as they are numbered, since BuildKit
    tells of them from the last to the first."""
    begun = [step for step in steps if step.started or step.cached or step.finished]
    waiting = [step for step in steps if step not in begun]
    begun.sort(key=lambda step: step.started)
    waiting.sort(key=lambda step: _numbered(step.name))
    return begun[-SHOWN[0] :] + waiting[: SHOWN[1]]


def _numbered(name: str) -> int:
    found = _NUMBER.search(name)
    return int(found[1]) if found else 0


def _shown(step: BuildStep, now: int) -> list[object]:
    state = "waiting"
    if step.error:
        state = "failed"
    elif step.cached:
        state = "cached"
    elif step.finished:
        state = "done"
    elif step.started:
        state = "running"
    taken = step.seconds
    if taken is None and step.started:
        taken = max(0.0, (now - step.started) / 1e9)
    return [step.name[:NAME], state, None if taken is None else round(taken, 1)]


def _of_base(tell: Tell, image: str) -> Tell:
    return lambda told: tell({"doing": "pull", "image": image, **told})
