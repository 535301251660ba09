"""Where releases come from: a Git address, a folder that was sent, a registry, this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from cloudbang.config import Settings
from cloudbang.deploy import git
from cloudbang.deploy.addresses import AddressRefused, host_of
from cloudbang.deploy.build import Builder
from cloudbang.deploy.credentials import HostCredentials
from cloudbang.deploy.disk import EngineDisk
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.kept_uploads import ORPHAN, KeptUploads, Stream, Upload
from cloudbang.deploy.log import DeploymentLog
from cloudbang.deploy.pull import Puller
from cloudbang.deploy.told import PacedTell, Tell
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.image_name import digest_of
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec_parts import Build
from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused, StorageFailed, StorageFull
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.secrets import SecretStore, SecretUnreadable

GONE = "somebody has removed it from this machine, and no registry has told a digest of it"

_PERCENT = re.compile(r"\b(\d+)%")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A source as it lies on the disk. ``commit``: of a Git source."""

    folder: Path
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """What a release runs. ``digest``: where a registry told one; ``recipe``: the Dockerfile that
    was written for it, to be kept with the release."""

    id: str  # "sha256:…"
    name: str
    digest: str = ""
    recipe: str = ""


class Sources:
    """Each of ``fetch``, ``build`` and ``pull`` is a step: it raises StepFailed with the verdict,
    EngineUnreachable where it can be done again, and who is ended meanwhile comes back when nothing
    of it is left running."""

    def __init__(
        self,
        engine: Engine,
        store: DeploymentStore,
        secrets: SecretStore,
        settings: Settings,
        team_of: Callable[[str], str],
    ) -> None:
        """``team_of`` an app: whose credentials are used for it."""
        self._team_of = team_of
        self.awaited: Callable[[], Collection[str]] = tuple  # uploads of what has not begun
        self._engine, self._store, self._settings = engine, store, settings.deploy
        self.credentials = HostCredentials(secrets)
        self._uploads = KeptUploads(settings.storage.path, settings.storage.keep_free_bytes)
        disk = EngineDisk(engine, self._settings.keep_free_bytes)
        self._puller = Puller(
            engine,
            self.credentials,
            disk,
            self._settings.allowed_hosts,
            within=self._settings.pull_minutes * 60,
        )
        self._builder = Builder(engine, self._puller, disk, self._settings)

    # --- what is sent ---------------------------------------------------------------------------

    def keep_upload(self, stream: Stream) -> Upload:
        """Keep a folder that is sent as tar; its id goes into the deployment's source. Raises
        UploadRefused, StorageFull, StorageFailed."""
        self.sweep(ORPHAN)
        return self._uploads.keep(stream)

    def share_upload(self, id: str) -> str:
        """The id of the same folder once more, for another deployment. Raises StorageFailed."""
        return self._uploads.share(id)

    def drop_upload(self, id: str) -> None:
        """Of which no deployment was made."""
        self._uploads.discard(upload=id)

    def sweep(self, older: float = 60.0) -> int:
        """Remove what no deployment needs that goes on or waits, how many; for the start, and now and
        then.

        ``older``: seconds; what has just been sent has no deployment yet.
        """
        ids = [deployment.id for deployment in self._store.unsettled()]
        uploads = [upload for id in ids if (upload := self._upload_of(id))]
        uploads += self.awaited()
        return self._uploads.sweep(uploads, ids, older)

    def uploaded(self, deployment_id: int) -> Fetched | None:
        """The folder that is kept for that deployment; None where there is none."""
        folder = self._uploads.folder(self._upload_of(deployment_id))
        return None if folder is None else Fetched(folder)

    def discard(self, deployment_id: int) -> None:
        """The folders of a deployment that is settled."""
        self._uploads.discard(self._upload_of(deployment_id), deployment_id)

    def _upload_of(self, deployment_id: int) -> str:
        more = self._store.more(deployment_id)
        return str(more[0].get("upload") or "") if more else ""

    # --- the steps ------------------------------------------------------------------------------

    def fetch(
        self, deployment: Deployment, build: Build, log: DeploymentLog, tell: Tell
    ) -> Fetched:
        """The source of a Git address."""
        shown = git.without_credentials(build.git)
        branch = build.branch or "HEAD"
        try:
            folder = self._uploads.fetched(deployment.id)
            log.say(f"fetching {shown}, {branch}")
            with PacedTell(tell) as paced:

                def say(line: bytes) -> None:
                    text = line.decode("utf-8", "replace").strip()
                    percent = _PERCENT.search(text)
                    if text and (percent is None or percent[1] == "100"):
                        log.say(text)
                    paced(lambda: {"doing": "fetch", "said": text[:200]})

                commit = git.fetch(
                    build.git,
                    build.branch,
                    folder,
                    credentials=self.git_credentials(build.git, self._team_of(deployment.app)),
                    allowed_hosts=self._settings.allowed_hosts,
                    say=say,
                )
        except git.GitFailed as e:
            kind = "timed-out" if e.said == "time" else "build-failed"
            raise StepFailed(Failure(kind, e.why, what=shown)) from None  # type: ignore[arg-type]
        except (AddressRefused, SecretUnreadable) as e:
            raise StepFailed(Failure("build-failed", str(e), what=shown)) from None
        except StorageFull as e:
            raise StepFailed(Failure("disk-full", str(e), what=shown)) from None
        except StorageFailed as e:
            raise StepFailed(Failure("build-failed", str(e), what=shown)) from None
        log.say(f"{shown} is at {commit}")
        tell({"commit": commit})
        return Fetched(folder, commit)

    def build(
        self,
        deployment: Deployment,
        release: Release,
        source: Fetched,
        log: DeploymentLog,
        tell: Tell,
    ) -> Image:
        """An image of a source, with the tag that keeps it."""
        build = release.spec.build or Build()
        built = self._builder.build(
            build, source.folder, release.tag, self._team_of(release.app), log, tell
        )
        return Image(built.id, release.tag, recipe=built.recipe)

    def pull(self, release: Release, log: DeploymentLog, tell: Tell) -> Image:
        """The image that the release names, as it is on the machine, or from its registry."""
        name = release.spec.image
        found = self._puller.image(name, self._team_of(release.app), log, tell)
        return Image(found.id, name, digest_of(name, found.digests))

    def pull_again(self, release: Release, log: DeploymentLog, tell: Tell) -> Image:
        """The image that a release had: as it is on the machine, or by its digest."""
        name = release.spec.image or release.tag
        if self._engine.image(release.image_id) is not None:
            return Image(release.image_id, name, release.digest)
        if not release.digest:
            raise StepFailed(Failure("image-not-found", GONE, what=name))
        found = self._puller.image(release.digest, self._team_of(release.app), log, tell)
        return Image(found.id, name, release.digest)

    def keep(self, release: Release) -> None:
        """Name the release's image so that no clean-up takes it. Raises StepFailed where it has
        gone, EngineUnreachable."""
        try:
            self._engine.tag_image(release.image_id, release.tag)
        except EngineRefused as e:
            raise StepFailed(
                Failure("image-not-found", e.reason, what=release.spec.image or release.tag)
            ) from None

    def git_credentials(self, url: str, team: str) -> git.Credentials | None:
        """What a team keeps for its host: never sent where others can read it on its way, but to a host
        that an admin allowed."""
        try:
            host, port = host_of(url)
        except ValueError:
            return None
        usual = port == 443
        kept = self.credentials.get(team, "git", host if usual else f"{host}:{port}")
        if kept is None or not (url.startswith("https:") or host in self._settings.allowed_hosts):
            return None
        return git.Credentials(*kept)
