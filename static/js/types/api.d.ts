// Made by scripts/generate.py of cloudbang/web/api/schemas: change it there, then `make generated`.

/** `role` is the one in the team `default`, null without. From `ends_at` on it is not `active`: nobody signs in by it, and its tokens are refused. */
export type Account = {
  id: number;
  username: string;
  role: "admin" | "viewer" | null;
  created_at: string;
  signed_in_at: string | null;
  active: boolean;
  ends_at: string | null;
};

/** `active`: false switches it off from now on, true takes away its end; `days` and `ends_at` are an end to come, null none. */
export type AccountChange = {
  days?: number | null;
  ends_at?: string | null;
  role?: "admin" | "viewer" | null;
  password?: string | null;
  active?: boolean | null;
};

export type Accounts = {
  accounts: Account[];
};

/** Where an app answers. `local`: for who sits at the machine alone; `port`: at a port of its own (0 for the others), by whatever name somebody reaches the machine. */
export type Address = {
  url: string;
  kind: "domain" | "local" | "port";
  port: number;
};

export type Advice = {
  busy: BusyWith[];
  limits: SizedLimit[];
};

/** `text` in the reader's language. `told`: how many messages tell of it, by their state. */
export type Alert = {
  id: number;
  rule: number;
  rule_name: string;
  what: string;
  app: string;
  team: string;
  subject: string;
  severity: "critical" | "warning";
  state: "firing" | "flapping" | "resolved";
  began: string;
  ended: string | null;
  reminded: string | null;
  text: string;
  acknowledged_by: string;
  acknowledged: string | null;
  told: Record<string, number>;
  may_acknowledge: boolean;
};

export type AlertAttempt = {
  time: string;
  accepted: boolean;
  code: string;
  text: string;
};

export type AlertList = {
  alerts: Alert[];
};

/** `state`: sent, failed, pending, held (back) or merged (into a digest), and why. `uid` is the same however often it is sent, and to whom. `due`: when it is tried again. */
export type AlertMessage = {
  id: number;
  uid: string;
  receiver: number;
  receiver_name: string;
  kind: "alert" | "digest" | "test";
  state: "pending" | "sent" | "failed" | "held" | "merged";
  why: string;
  created: string;
  due: string | null;
  finished: string | null;
  tries: number;
  title: string;
  lines: string[];
  attempts: AlertAttempt[];
};

/** `next`: `before` of the older ones, None where there are none. */
export type AlertMessages = {
  messages: AlertMessage[];
  next: number | null;
};

/** `may_change`: whether who asks may. */
export type AlertRule = {
  id: number;
  team: string;
  app: string;
  name: string;
  kind: "metric" | "traffic" | "log" | "event";
  condition: Record<string, unknown>;
  severity: "critical" | "warning";
  wait: number;
  clear: number;
  remind: number;
  receivers: number[];
  enabled: boolean;
  by: string;
  created: string;
  may_change: boolean;
};

/** What is left out stays as it is. */
export type AlertRuleChange = {
  name?: string | null;
  condition?: Record<string, unknown> | null;
  severity?: "critical" | "warning" | null;
  wait?: number | null;
  clear?: number | null;
  remind?: number | null;
  receivers?: number[] | null;
  enabled?: boolean | null;
};

/** `known`: for how much of the time since `since` there is something to judge by, null where nothing can be said beforehand. `looked_at` apps, `of` so many: it takes 3 s at most. `now`: those that are nearest to an alert. */
export type AlertRulePreview = {
  since: string | null;
  known: number | null;
  apps: BeganOf[];
  looked_at: number;
  of: number;
  now: IsNow[];
};

/** A rule that may be made, of which it is asked how often it would have been an alert. */
export type AlertRuleTry = {
  team?: string;
  app?: string;
  kind: "metric" | "traffic" | "log" | "event";
  condition: Record<string, unknown>;
  wait?: number;
  clear?: number;
};

export type AlertRules = {
  rules: AlertRule[];
};

/** `state` is gone where only lines are left; `condition` is how it does, `trouble` whether somebody should look at it, `running` how many instances run, `up` whether any has a process, `since` when that began or ended; `rate` in lines per second; `samples` what was measured of it last, by metric, in the units that its metrics have. The live feed leaves that out. */
export type App = {
  name: string;
  team: string;
  kind: "deployed" | "found" | "put";
  put_away: boolean;
  state: string;
  condition: "running" | "starting" | "partial" | "unhealthy" | "restarting" | "paused" | "exited" | "done" | "failed" | "dead" | "created" | "gone";
  trouble: boolean;
  running: number;
  since: string | null;
  up: boolean;
  stack: string | null;
  instances: Instance[];
  last_line: Line | null;
  first: number;
  next: number;
  rate: number;
  samples?: Record<string, number>;
};

/** `gone` and `put_away`: how many there are; `next`: the name to go on after. */
export type Apps = {
  apps: App[];
  next: string | null;
  gone: number;
  put_away: number;
};

/** Requests of one kind; times in seconds, null where none was answered. */
export type AskedAddress = {
  method: string;
  path: string;
  count: number;
  errors: number;
  seconds: number;
  mean: number | null;
  quantiles: Record<string, unknown>;
  most: number | null;
  example: string;
};

/** `app`: or the path of a disk, or the domain of a certificate. */
export type BeganOf = {
  app: string;
  began: string[];
};

export type Begun = {
  id: number;
  app: string;
  number: number;
};

/** What deleting an app would take away. `stay`: containers that CloudBang did not make; `deployed`: false for one of which only its log, its events and its record are left. */
export type Belongings = {
  bytes: number;
  lines: number;
  events: number;
  first_time: string | null;
  last_time: string | null;
  deployed: boolean;
  services: string[];
  containers: string[];
  stay: string[];
  volumes: OwnVolume[];
  images: string[];
  secrets: string[];
  route: string;
  releases: number;
  deployments: number;
};

/** `waits`: seconds a second that the app waited for `resource` (`cpu`, `memory`, `io`). `cause`: `limit`, its own; `neighbour`, another app, `by`, null where the caller may not see it; `itself`; `hypervisor`, who runs the machine; `outside`, what is no app; `several`. `share`: of the time held back, of the processors, of what all use. */
export type BusyWith = {
  resource: string;
  cause: string;
  waits: number;
  share: number;
  by: string | null;
};

/** One field as it is written, null where it is not given. Of secrets only that they change. */
export type Change = {
  field: string;
  before: unknown;
  after: unknown;
};

export type Changes = {
  changes: Change[];
};

/** `only`: of the plan these; all of it where it is not given. */
export type CleanUpChoice = {
  only?: CleanUpChosen[] | null;
};

/** One thing of a plan. */
export type CleanUpChosen = {
  kind: "image" | "volume" | "network" | "cache";
  id: string;
};

/** One thing that would go. `names`: the tags that would be taken from an image. */
export type CleanUpItem = {
  kind: "image" | "volume" | "network" | "cache";
  id: string;
  name: string;
  names: string[];
  size: number | null;
  ours: boolean;
};

/** `why`, of what stayed: used, kept, named, gone, or the engine's own words. */
export type CleanUpOutcome = {
  kind: "image" | "volume" | "network" | "cache";
  id: string;
  name: string;
  size: number | null;
  done: boolean;
  why: string;
};

/** Carried out as it stands here, and once. */
export type CleanUpPlan = {
  id: string;
  items: CleanUpItem[];
  bytes: number;
};

/** `others`: also what CloudBang did not make. */
export type CleanUpRequest = {
  kinds?: ("image" | "volume" | "network" | "cache")[];
  others?: boolean;
};

/** `bytes`: given back, at least: what several shared, and none has any more, is not counted. */
export type CleanedUp = {
  outcomes: CleanUpOutcome[];
  bytes: number;
};

/** `growing`: more comes, until 15 minutes after. `cut`: another deployment of the app was within the 15 minutes, so that there are fewer. */
export type Compared = {
  before: ComparedSide;
  after: ComparedSide;
  growing: boolean;
  cut: boolean;
  rows: ComparedRow[];
  verdict: "worse" | "better" | "mixed" | "dearer" | "cheaper" | "same" | "unknown";
};

/** `name` and `unit`: `http.latency` (the 95th percentile, s), `http.errors` (a share of all requests), `log.errors` (1/s), `cpu` (cores), `memory` (bytes); null where it was not measured. `why` nothing can be said of what changed, else empty. */
export type ComparedRow = {
  name: string;
  unit: string;
  before: number | null;
  after: number | null;
  change: "more" | "less" | "same" | "unknown";
  why: string;
};

/** Of which time: seconds since 1970, as fine as that time is kept. */
export type ComparedSide = {
  since: number;
  until: number;
  requests: number | null;
};

/** `services` in the order in which they are started: none while a required variable has no value; `missing`: files that were not sent along, taken for empty ones. */
export type ComposeDraft = {
  name: string;
  services: ComposeService[];
  left: cloudbang__web__api__schemas__drafts__NotHonoured[];
  variables: ComposeVariable[];
  missing: string[];
};

/** A Compose file. `files`: texts of the folder that it is in, by their paths (`.env`, what `env_file` names, small files that are mounted); `variables`: values of what it names; `profiles`: those that are asked for. */
export type ComposeFile = {
  text: string;
  name?: string;
  files?: Record<string, string>;
  variables?: Record<string, string>;
  profiles?: string[];
};

/** One app of a stack. `after`: the services that have to be there first; `context`: the folder that it is built of, "" where it is not; `problem`: why it cannot be deployed so. */
export type ComposeService = {
  name: string;
  app: string;
  spec: Record<string, unknown>;
  after: string[];
  context: string;
  problem: FieldProblem | null;
};

/** `default`: what it is unless another value is given; `required`: nothing can be read before it has a value; `set_by`: the file beside it that sets it (`.env`, or an example of one where there is none), "" where none does; `line`: the first of the file that names it, 0 where none was found; `why`: the file's own words for what it is needed for. */
export type ComposeVariable = {
  name: string;
  default: string;
  required: boolean;
  set_by: string;
  line: number;
  why: string;
};

/** `force`: also one that runs; `volumes`: those of its volumes that have no name, too. */
export type ContainerRemoval = {
  force?: boolean;
  volumes?: boolean;
};

export type Credentials = {
  credentials: HostWithCredentials[];
};

/** `volumes_left`: those that were to go and stay, because somebody uses them. */
export type Deleted = {
  volumes_left: string[];
};

/** What goes with the app beside its services and releases: nothing unless said. */
export type Deletion = {
  volumes?: boolean;
  logs?: boolean;
};

/** The deployment that was begun, or why none was: not-a-push, no-branch, other-branch, other-paths. `again`: it was received before. */
export type Delivered = {
  id: number | null;
  app: string;
  number: number | null;
  skipped: string | null;
  again: boolean;
};

/** `serving`: the release that serves, null where none does; `replicas`: null for as many as it says; `addresses`: the best first; `usual`: seconds that a step of a deployment takes as a rule. */
export type Deployed = {
  serving: number | null;
  stopped: boolean;
  replicas: number | null;
  addresses: Address[];
  usual: Record<string, number>;
};

/** `state` is for ever once it is serving, failed or cancelled. `class`, `sentence` and `exit_code` say why it failed; `sentence` who cancelled it, too. `previous`: the release that served before, null where none did. `settled`: nothing is left to be tidied up. `stop_first`: two releases cannot run at once. */
export type Deployment = {
  id: number;
  app: string;
  number: number;
  release: number;
  previous: number | null;
  state: "queued" | "running" | "serving" | "failed" | "cancelled";
  class: "image-not-found" | "registry-refused" | "registry-unreachable" | "build-failed" | "command-not-found" | "exited" | "unhealthy" | "out-of-memory" | "port-taken" | "path-missing" | "no-room" | "release-command-failed" | "disk-full" | "engine-away" | "timed-out" | null;
  sentence: string | null;
  exit_code: number | null;
  by: string;
  created: string;
  finished: string | null;
  cancelled_by: string | null;
  can_cancel: boolean;
  stop_first: boolean;
  settled: boolean;
  steps: Step[];
};

/** `comparison` is null of a deployment that has not come to serving, or that replaced nothing. */
export type DeploymentComparison = {
  comparison: Compared | null;
};

/** `source`: from what it was made; `last_lines`: what its log said last, kept for longer than the log; `usual`: seconds that a step takes as a rule. */
export type DeploymentDetail = {
  id: number;
  app: string;
  number: number;
  release: number;
  previous: number | null;
  state: "queued" | "running" | "serving" | "failed" | "cancelled";
  class: "image-not-found" | "registry-refused" | "registry-unreachable" | "build-failed" | "command-not-found" | "exited" | "unhealthy" | "out-of-memory" | "port-taken" | "path-missing" | "no-room" | "release-command-failed" | "disk-full" | "engine-away" | "timed-out" | null;
  sentence: string | null;
  exit_code: number | null;
  by: string;
  created: string;
  finished: string | null;
  cancelled_by: string | null;
  can_cancel: boolean;
  stop_first: boolean;
  settled: boolean;
  steps: Step[];
  source: Record<string, unknown>;
  last_lines: string[];
  usual: Record<string, number>;
};

/** `next`: what to ask for with before=, null at the end. */
export type Deployments = {
  deployments: Deployment[];
  next: number | null;
};

/** Distinct: `online` in the last 5 minutes, `error` off at most, as a share; `day` since midnight UTC. */
export type DistinctClients = {
  online: number;
  day: number;
  error: number;
};

/** `starting`: it was not asked yet; `connecting`: it was well a moment ago; `error` says why it is `down`. */
export type EngineStatus = {
  state: "starting" | "connected" | "connecting" | "down";
  error: string | null;
};

/** `data` depends on the kind; `container` is empty where it concerns none. */
export type Event = {
  id: number;
  app: string;
  time: string;
  kind: string;
  container: string;
  data: Record<string, unknown>;
};

export type Events = {
  events: Event[];
};

/** first and last seq, level, container, stream */
export type Extent = [number, number, "trace" | "debug" | "info" | "warning" | "error" | null, string, "stdout" | "stderr" | "marker"];

/** What a specification may not hold; `message` in the reader's language. */
export type FieldProblem = {
  field: string;
  message: string;
};

/** Empty when nobody knows. */
export type Folder = {
  folder: string;
};

/** `port`: at which the app will answer, 0 where nothing says so. */
export type GitDraft = {
  commit: string;
  has_dockerfile: boolean;
  port: number;
  recipe: Recipe | null;
};

/** As `build` of a specification has it; `app`: for which it is fetched, with the credentials of its team, or of that which a new one is to be in. */
export type GitSource = {
  git: string;
  branch?: string;
  folder?: string;
  dockerfile?: string;
  app?: string;
  team?: string;
};

/** `columns[i][j]` took from `bounds[j]` to `bounds[j + 1]` seconds. */
export type HeatMap = {
  bounds: number[];
  columns: number[][];
};

/** `host` with its port where that is not the usual one. */
export type HostWithCredentials = {
  kind: "registry" | "git";
  host: string;
};

/** One container; `id` has 12 hex digits. `state` is the engine's word for this instant, `condition` how it does; `error` why the engine could not start it. `restarts` counts, of a service's instance, those before it that ended by themselves, `last_exit` is the last one's code; `replaced`: another one is in its place. `of_service`: it is Swarm's, and operated with its service only. */
export type Instance = {
  id: string;
  name: string;
  image: string;
  image_id: string;
  state: string;
  condition: "running" | "starting" | "partial" | "unhealthy" | "restarting" | "paused" | "exited" | "done" | "failed" | "dead" | "created" | "gone";
  since: string | null;
  error: string | null;
  health: string | null;
  health_failures: number;
  health_output: string | null;
  ports: string[];
  created: string;
  started_at: string | null;
  finished_at: string | null;
  restarts: number;
  exit_code: number | null;
  oom_killed: boolean;
  tty: boolean;
  log_driver: string;
  readable: boolean;
  unreadable_reason: string | null;
  one_off: boolean;
  of_service: boolean;
  last_exit: number | null;
  replaced: boolean;
};

/** Of an app, a path or a domain the number that the rule looks at, in its unit: a share for a disk, with the `days` until it is full as it grows, and the days that are left for a certificate. */
export type IsNow = {
  what: string;
  value: number;
  days: number | null;
};

/** When the release that serves was started, and by which deployment; of an app that was not deployed here when its newest container was made. */
export type LastDeployed = {
  time: string;
  deployment: number | null;
  number: number | null;
};

/** Of how many `apps` one knows when they were deployed last; the first and the last of them. */
export type LastDeployments = {
  apps: number;
  first: string;
  last: string;
};

/** `time` in seconds since 1970. */
export type LastRefused = {
  time: number;
  why: string;
};

/** Of `count` answers, in seconds; `quantiles` by "0.5", "0.95", "0.99", at most `error` off, as a share. */
export type Latency = {
  count: number;
  mean: number | null;
  quantiles: Record<string, unknown>;
  error: number;
};

/** `bytes`: 0 is no limit. */
export type Limits = {
  days: number;
  bytes: number;
};

/** seq, time, container, stream, text */
export type Line = [number, string, string, "stdout" | "stderr" | "marker", string];

/** `levels`: what each line says of itself. `entries`: those of several lines that these are in; all lines of the container and stream from the first to the last belong to it. `cursor` where there is more: go on with after=cursor, or with before=cursor where only before or until was given. */
export type Lines = {
  lines: Line[];
  levels: ("trace" | "debug" | "info" | "warning" | "error" | null)[];
  entries: Extent[];
  first: number;
  next: number;
  cursor?: number;
};

export type Link = {
  mode: "watch" | "type";
  key: string;
  url: string;
};

/** `chosen`: the keys n and N go from one to the next. */
export type Mark = {
  id: number;
  text: string;
  regex: boolean;
  hue: number;
  chosen: boolean;
};

export type MarkChange = {
  hue?: number | null;
  chosen?: boolean | null;
};

export type Marks = {
  marks: Mark[];
};

/** `id` is null for a program's token of the command line. */
export type Me = {
  id: number | null;
  username: string;
  role: "admin" | "viewer" | null;
  session: string;
  csrf_token: string;
  language: string;
};

export type Member = {
  account: number;
  username: string;
  role: "admin" | "viewer";
};

export type Membership = {
  role: "admin" | "viewer";
};

/** An app of the page, and its seqs as with its own lines: `first` is the oldest kept, and this page has none from `next` on. */
export type MergedApp = {
  name: string;
  first: number;
  next: number;
};

/** which of the apps, first seq, last seq, level, container, stream */
export type MergedExtent = [number, number, number, "trace" | "debug" | "info" | "warning" | "error" | null, string, "stdout" | "stderr" | "marker"];

/** seq, time, container, stream, text, and which of the apps */
export type MergedLine = [number, string, string, "stdout" | "stderr" | "marker", string, number];

/** Lines of several apps by their times, oldest first, with a filter those of whole entries. `levels`: what each says of itself; `entries` those of several lines, their app first. `before` and `after` are cursors to go on with, in either direction; None where there is nothing more that way, as far as it is known. */
export type MergedLines = {
  apps: MergedApp[];
  lines: MergedLine[];
  levels: ("trace" | "debug" | "info" | "warning" | "error" | null)[];
  entries: MergedExtent[];
  before: string | null;
  after: string | null;
  failed: UnreadLog[];
};

/** One of several apps: `apps`, those in which it came most first; `app` is that of the last line, which `seq` is of. */
export type MergedPattern = {
  pattern: string;
  level: "trace" | "debug" | "info" | "warning" | "error" | null;
  count: number;
  before: number;
  first: string;
  last: string;
  seq: number;
  hours: ([number, number])[];
  expression: string;
  app: string;
  apps: PatternApp[];
};

/** As `Patterns`, of several apps: `counted` of them; `left` are not counted, because there are too many or the time was up; `failed`: those that could not be read. Since their deployments each has stretches of its own, which `now` and `before` are around; what is new in one of them stands before the rest, and those of which nobody knows one (`undeployed`) are left out. */
export type MergedPatterns = {
  now: PatternSpan;
  before: PatternSpan;
  sampled: boolean;
  deployed: LastDeployments | null;
  patterns: MergedPattern[];
  more: number;
  others: [number, number];
  counted: number;
  left: number;
  undeployed: number;
  failed: UnreadLog[];
};

/** time, least, mean, most; null where nothing was measured */
export type MetricPoint = [number, number | null, number | null, number | null];

/** `step`: seconds between two measurements; `width`: seconds of a point. */
export type MetricSeries = {
  name: string;
  unit: string;
  labels: Record<string, string>;
  step: number;
  width: number;
  points: MetricPoint[];
};

/** Times in seconds since 1970. `kept`: seconds of the finest that is kept of `since`. */
export type Metrics = {
  since: number;
  until: number;
  kept: number;
  series: MetricSeries[];
  not_measured: NotMeasured[];
  refused: RefusedMetrics;
  trouble: string | null;
};

export type NewAccount = {
  username: string;
  password: string;
  role?: "admin" | "viewer";
};

/** `team`: whose apps it is about, "" for all; `app`: the one, "" for each of them. `condition` as its kind has it. `wait`: seconds for which it has to be so, `clear`: and for which it has to be over; `remind`: after which it is told again while it is still so, 0 for never, left out 4 hours for what is critical. `receivers`: none for those that take everything. */
export type NewAlertRule = {
  team?: string;
  app?: string;
  name: string;
  kind: "metric" | "traffic" | "log" | "event";
  condition: Record<string, unknown>;
  severity?: "critical" | "warning";
  wait?: number;
  clear?: number;
  remind?: number | null;
  receivers?: number[];
  enabled?: boolean;
};

/** Of a token most hosts take any user. */
export type NewCredentials = {
  user: string;
  password: string;
};

/** One of `spec` and `release`, the number of a release to go back to. `wait`: behind the deployment that runs; of several that wait only the newest is kept. `team`: whose a new app is to be, where the caller may deploy; `default`, or their only one, unless given. An app that is there stays its team's. */
export type NewDeployment = {
  spec?: Spec | null;
  release?: number | null;
  wait?: boolean;
  team?: string;
};

/** `minutes` after which it opens nothing, and whoever came by it is out; without, it ends with the terminal. */
export type NewLink = {
  mode: "watch" | "type";
  minutes?: number | null;
};

/** `text`: words as they stand or, with `regex`, an expression of RE2; `hue`: the first that is free unless one is said. */
export type NewMark = {
  text: string;
  regex?: boolean;
  hue?: number | null;
};

export type NewPassword = {
  old_password: string;
  new_password: string;
};

export type NewReceiver = {
  language?: "en" | "zh" | null;
  everything?: boolean | null;
  second?: number | null;
  quiet?: string | null;
  quiet_all?: boolean | null;
  cap?: number | null;
  private?: boolean | null;
  host?: string | null;
  port?: number | null;
  security?: "starttls" | "tls" | "none" | null;
  user?: string | null;
  sender?: string | null;
  to?: string[] | null;
  address?: string | null;
  secret?: string | null;
  password?: string | null;
  team?: string;
  name: string;
  kind: "webhook" | "email" | "dingtalk" | "feishu" | "wecom";
  enabled?: boolean;
};

/** `view`: of one app's log, of the logs of several, or the search over all; `apps`: one, some, or none for all; `query`: what that page's address says beside them. */
export type NewSearch = {
  name: string;
  view: "log" | "logs" | "search";
  apps?: string[];
  query?: string;
  pinned?: boolean;
};

export type NewTeam = {
  name: string;
};

/** `command`: a text is split as a shell would, and given to none. */
export type NewTerminal = {
  container: string;
  command?: string | string[] | null;
  user?: string | null;
  folder?: string | null;
  kind?: "exec" | "toolbox";
};

/** Without a role the maker's own; without `days` and `ends_at` it has no end. */
export type NewToken = {
  days?: number | null;
  ends_at?: string | null;
  name: string;
  role?: "admin" | "viewer" | "";
};

/** `branch`: a name or a pattern; the branch that the app is built from, unless said. `paths`: patterns; a push that changes none of them is left out. */
export type NewWebhook = {
  kind: "github" | "gitlab" | "gitea" | "plain";
  branch?: string;
  paths?: string[];
};

/** Something of the container that the app would not have, as `docker run` names it. */
export type NotCarriedOver = {
  option: string;
  why: string;
};

/** `name`: empty for what it exposes itself. `container`: its short id; empty: of the whole. */
export type NotMeasured = {
  name: string;
  container: string;
  why: string;
};

/** No field. */
export type Nothing = {
};

/** What has to be known now; pages translate it by its code. It is about the app, container, path or setting that it names, and goes when that is well; or about a token of the reader's, when that ends and from where it was refused. `more` are left out that are alike. */
export type Notice = {
  code: string;
  severity: "error" | "warning";
  message: string;
  since: string | null;
  app?: string;
  container?: string;
  path?: string;
  setting?: string;
  token?: string;
  ends_at?: string;
  address?: string;
  more?: number;
};

/** What became of one; `code` and `detail` say why it was not done, `volumes_left` which of its volumes stay, since somebody uses them. */
export type OperationOutcome = {
  app?: string;
  container?: string;
  done: boolean;
  code?: string;
  detail?: string;
  volumes_left?: string[];
};

/** What the list of addresses has no row for. */
export type OtherAddresses = {
  count: number;
  seconds: number;
};

export type Outcomes = {
  outcomes: OperationOutcome[];
};

/** What was said of this app; null, as the settings say. */
export type Own = {
  days: number | null;
  bytes: number | null;
};

/** `days`: the age of the oldest line, `bytes`: on disk; null, as the settings say. */
export type OwnRetention = {
  days?: number | null;
  bytes?: number | null;
};

/** `used_by`: others who have it, so that it stays in any case; `there`: whether it is on the engine. */
export type OwnVolume = {
  name: string;
  there: boolean;
  used_by: StorageUse[];
};

/** A pattern of entries of one `level`: how often they came, and `before`; when first and last, and the seq of the last, of that time, or of the one before where there is none. `hours`: in which hours (seconds since 1970) how often. `expression` finds them, in RE2's syntax, as `q` with `regex=1`. */
export type Pattern = {
  pattern: string;
  level: "trace" | "debug" | "info" | "warning" | "error" | null;
  count: number;
  before: number;
  first: string;
  last: string;
  seq: number;
  hours: ([number, number])[];
  expression: string;
};

/** How often a pattern came in one app, and before. */
export type PatternApp = {
  name: string;
  count: number;
  before: number;
};

/** A stretch of time, and of how many of its bytes the counts are: where that is not all, they are estimates. */
export type PatternSpan = {
  since: string;
  until: string;
  looked: number;
  of: number;
};

/** `now` is the stretch that was asked about, `before` the one that it is compared with. Errors first, then warnings, what is new before the rest. `more` patterns are left out; `others`: how often those, and what was not told apart, came now and before. `sampled`: the counts are estimates; who asks again learns more. */
export type Patterns = {
  now: PatternSpan;
  before: PatternSpan;
  sampled: boolean;
  deployed: LastDeployed | null;
  patterns: Pattern[];
  more: number;
  others: [number, number];
};

/** `first`: nothing serves yet. `interruption`: "" when the new release runs beside the old one, "held" when requests wait meanwhile, "moment" when nobody answers for a moment; `because`: what only one of them can have. `published`: ports that will be open on all addresses. `image_is`, of a release to go back to: on the machine, to be pulled by its digest, or gone. `refused`: why none of the app can begin at this moment, whatever it is of. */
export type Plan = {
  first: boolean;
  changes: Change[];
  replaces_instances: boolean;
  interruption: "" | "held" | "moment";
  because: string[];
  published: string[];
  image_is: "here" | "pulled" | "gone" | null;
  not_honoured: cloudbang__web__api__schemas__deployments__NotHonoured[];
  refused: PlanRefused | null;
};

/** As the problem document of a deployment that is asked for now. */
export type PlanRefused = {
  code: string;
  detail: string;
  id?: number;
  by?: string;
  since?: string;
};

/** `code` is stable; `name` says which value of the request cannot be used, `field` which of a specification. Of a deployment that runs already: its `id`, who began it and when. Of a query: what is its `mistake`, `at` which character (from 0), and in which `part`. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  name?: string;
  field?: string;
  id?: number;
  by?: string;
  since?: string;
  mistake?: string;
  at?: number;
  part?: string;
};

/** `shown`: where its address is; `secrets`: which of them are kept. `failures` in a row, and why the last one failed. */
export type Receiver = {
  id: number;
  team: string;
  name: string;
  kind: "webhook" | "email" | "dingtalk" | "feishu" | "wecom";
  enabled: boolean;
  language: "en" | "zh";
  everything: boolean;
  second: number | null;
  quiet: string;
  quiet_all: boolean;
  cap: number;
  private: boolean;
  shown: string;
  host: string;
  port: number;
  security: "starttls" | "tls" | "none";
  user: string;
  sender: string;
  to: string[];
  by: string;
  created: string;
  failures: number;
  why: string;
  may_change: boolean;
};

export type ReceiverChange = {
  language?: "en" | "zh" | null;
  everything?: boolean | null;
  second?: number | null;
  quiet?: string | null;
  quiet_all?: boolean | null;
  cap?: number | null;
  private?: boolean | null;
  host?: string | null;
  port?: number | null;
  security?: "starttls" | "tls" | "none" | null;
  user?: string | null;
  sender?: string | null;
  to?: string[] | null;
  address?: string | null;
  secret?: string | null;
  password?: string | null;
  name?: string | null;
  enabled?: boolean | null;
};

export type Receivers = {
  receivers: Receiver[];
};

/** A Dockerfile that was written for a source; `found`: the file that told what it is. */
export type Recipe = {
  language: "python" | "node" | "go" | "php" | "static";
  text: string;
  port: number;
  found: string;
};

/** `recipe`: null where nothing is recognised. */
export type RecipeDraft = {
  recipe: Recipe | null;
};

/** The deployment that began. */
export type Redeployed = {
  id: number;
  app: string;
  number: number;
};

/** Samples of the app's own that were not taken; `names` of those for which there is no place. */
export type RefusedMetrics = {
  count: number;
  names: string[];
  last: LastRefused | null;
};

/** `image`: what runs, by id; null until it was pulled or built. `serving`: it is the one that serves. `changes`: against the release before. `can_return`: one can go back to it; `image_is`, of the last ten: on the machine, removed from it and pulled by its digest then, or nowhere; null where it is not kept or the engine does not tell. */
export type Release = {
  number: number;
  created: string;
  spec: Spec;
  image: string | null;
  digest: string | null;
  commit: string | null;
  serving: boolean;
  can_return: boolean;
  image_is: "here" | "pulled" | "gone" | null;
  changes: Change[];
};

/** The newest first. `serving`: the number of the one that does; `next`: what to ask for with before=, null at the end. */
export type Releases = {
  releases: Release[];
  serving: number | null;
  next: number | null;
};

/** `own` is what was said of this app, `usual` what the settings say; `bytes` on disk and `lines` there are, and the times of the oldest and the newest of them. */
export type Retention = {
  own: Own;
  usual: Limits;
  bytes: number;
  lines: number;
  first_time: string | null;
  last_time: string | null;
  may_change: boolean;
};

/** Without `days` and `ends_at` the new secret is good for as long as the one before was made for. That one is good for `overlap` seconds more, but not beyond its own end. */
export type Rotation = {
  days?: number | null;
  ends_at?: string | null;
  overlap?: number;
};

/** A `docker run` line, as it stands in a document: over several lines, with its prompt. */
export type RunLine = {
  line: string;
};

/** `spec` as a deployment takes it, not checked; `name` "" where the line gives none. */
export type RunLineDraft = {
  spec: Record<string, unknown>;
  name: string;
  left: cloudbang__web__api__schemas__drafts__NotHonoured[];
};

/** What a program measured of itself. Each sample is looked at by itself: one that cannot be taken is named in the answer. */
export type Samples = {
  samples: unknown[];
};

/** `state`: `gone` where every app that it looks at is gone, `hidden` where the caller may view none of them: then it has no name. `gone` are those of `apps` that are gone, and apps that may not be viewed are in neither. `address`: of the page, "" where there is nothing to look at. `count`, of a pinned one where counts were asked for: null while it is not known. */
export type SavedSearch = {
  id: number;
  name: string;
  view: "log" | "logs" | "search";
  apps: string[];
  gone: string[];
  state: "good" | "gone" | "hidden";
  query: string;
  address: string;
  pinned: boolean;
  created_at: string;
  count?: SearchCount | null;
};

export type SavedSearches = {
  searches: SavedSearch[];
};

/** How many instances there are to be; 0 stops the app. */
export type ScaleRequest = {
  replicas: number;
};

export type SearchChange = {
  name?: string | null;
  pinned?: boolean | null;
};

/** Lines of the last hour; `complete`: false where there may be more. */
export type SearchCount = {
  lines: number;
  complete: boolean;
  at: string;
};

/** `version` grows with each value. Values are never shown. */
export type Secret = {
  name: string;
  version: number;
};

export type Secrets = {
  secrets: Secret[];
};

export type SeqAt = {
  seq: number;
};

export type Session = {
  id: string;
  created_at: string;
  seen_at: string;
  address: string;
  agent: string;
  current: boolean;
};

export type Sessions = {
  sessions: Session[];
};

export type SetUp = {
  token: string;
  username: string;
  password: string;
};

/** The same for several: apps by name, containers by id. */
export type Several = {
  what: "start" | "stop" | "restart" | "redeploy" | "delete" | "kill" | "pause" | "unpause" | "remove";
  apps?: string[];
  containers?: string[];
  volumes?: boolean;
  logs?: boolean;
};

export type SignIn = {
  username: string;
  password: string;
};

/** `last`: when it was taken; `why`: the last one was not. */
export type SignOfLife = {
  minutes: number;
  private: boolean;
  shown: string;
  last: string | null;
  why: string;
};

/** `minutes` between two, 0 for none. `address` is not shown again. */
export type SignOfLifeChange = {
  minutes: number;
  private?: boolean;
  address?: string | null;
};

/** A limit of `memory` (bytes) or `cpu` (cores), of all instances together, against 14 days: `fit` is `large`, `small` or `fits`; `usual` is the 95th percentile, `wanted` one that would fit. Not there before 3 days are known. */
export type SizedLimit = {
  name: string;
  fit: string;
  limit: number;
  usual: number;
  most: number;
  wanted: number;
  days: number;
};

/** Of a source without a Dockerfile the paths of its files, and the texts of those that tell how it is started, by path. */
export type SourceNames = {
  names: string[];
  texts?: Record<string, string>;
};

/** `image` or `build` is needed, nothing else. Commands are lists, or lines that are split as a shell would; memory is bytes or text such as "256m"; times are seconds. A `job` serves once it has ended with 0. Of a secret null keeps the value that there is; answers hold null alone. */
export type Spec = {
  image?: string;
  build?: SpecBuild;
  command?: string | string[];
  entrypoint?: string | string[];
  env?: Record<string, unknown>;
  secrets?: Record<string, unknown>;
  port?: number;
  route?: SpecRoute;
  replicas?: number;
  memory?: string | number;
  memory_reserved?: string | number;
  cpus?: number;
  cpus_reserved?: number;
  pids_limit?: number;
  health?: SpecHealth;
  volumes?: SpecVolume[];
  tmpfs?: (string | SpecTmpfs)[];
  files?: SpecFile[];
  ports?: SpecPort[];
  release_command?: string | string[];
  stop_grace?: number | string;
  stop_signal?: string;
  restart?: "always" | "on-failure" | "no";
  job?: boolean;
  labels?: Record<string, unknown>;
  networks?: string[];
  stack?: string;
  aliases?: string[];
  user?: string;
  group_add?: string[];
  working_dir?: string;
  hostname?: string;
  init?: boolean;
  tty?: boolean;
  stdin_open?: boolean;
  read_only?: boolean;
  cap_add?: string[];
  cap_drop?: string[];
  dns?: string[];
  dns_search?: string[];
  dns_opt?: string[];
  extra_hosts?: string[];
  sysctls?: Record<string, unknown>;
  ulimits?: SpecLimit[];
};

/** A Git address, or a folder that is sent with it; `recipe`: the text of a Dockerfile where the source has none. */
export type SpecBuild = {
  git?: string;
  branch?: string;
  folder?: string;
  dockerfile?: string;
  recipe?: string;
  target?: string;
  args?: Record<string, unknown>;
};

export type SpecFile = {
  path?: string;
  content?: string;
  mode?: string | number;
  uid?: number;
  gid?: number;
};

/** One of `http`, `tcp` and `command`; times in seconds. `timeout`: of one try; `retries`: how many tries of a command have to fail one after the other; `disabled`: the image's own check is not run. */
export type SpecHealth = {
  http?: string;
  tcp?: boolean | number;
  command?: string | string[];
  port?: number;
  within?: number | string;
  interval?: number | string;
  timeout?: number | string;
  retries?: number;
  disabled?: boolean;
};

export type SpecLimit = {
  name?: string;
  soft?: number;
  hard?: number;
};

/** A port of the machine, on all its addresses. */
export type SpecPort = {
  published?: number;
  target?: number;
  protocol?: "tcp" | "udp" | "sctp";
};

export type SpecRoute = {
  host?: string;
  path?: string;
};

/** A file system in memory: `size` in bytes, or as "64m"; `mode` as a number, or as "1777". */
export type SpecTmpfs = {
  path?: string;
  size?: string | number;
  mode?: string | number;
};

/** The `name` of a volume or, for admins, `source`: a path of the machine. `shared`: several instances may use it at once. */
export type SpecVolume = {
  name?: string;
  source?: string;
  path?: string;
  read_only?: boolean;
  shared?: boolean;
};

/** A Compose project. `containers`: how many it has, 0 when it is down; `unreadable`: the file that cannot be read here, so that Compose cannot bring it up or down, "" where it can. */
export type Stack = {
  name: string;
  folder: string;
  files: string[];
  apps: string[];
  containers: number;
  unreadable: string;
};

export type StackList = {
  stacks: Stack[];
};

/** `deployment`: its id, null until it has begun; `why`: what kept it from beginning. One is skipped where what it needs does not serve. */
export type StackPart = {
  service: string;
  app: string;
  after: string[];
  deployment: number | null;
  state: "waiting" | "running" | "serving" | "failed" | "cancelled" | "skipped";
  why: string;
};

/** What Compose said. */
export type StackPrinted = {
  said: string;
};

/** `team`: whose its apps are, or are to be. */
export type StackRun = {
  id: number;
  stack: string;
  team: string;
  by: string;
  created: string;
  state: "running" | "serving" | "failed" | "cancelled";
  parts: StackPart[];
};

export type StackRuns = {
  runs: StackRun[];
};

/** `uptime` in seconds. */
export type Status = {
  version: string;
  uptime: number;
  engine: EngineStatus;
  storage: StorageStatus;
  notices: Notice[];
};

/** `progress` depends on the step; `started` and `finished` are null while it has not come to that. */
export type Step = {
  name: "fetch" | "build" | "pull" | "release_command" | "start" | "health" | "switch" | "drain" | "stop";
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  started: string | null;
  finished: string | null;
  progress?: Record<string, unknown>;
};

/** `cache_budget`: bytes that the build cache is kept within. */
export type Storage = {
  things: StorageThing[];
  bytes: StorageBytes;
  disk: StorageDisk | null;
  cache_budget: number;
};

/** How many each kind takes. */
export type StorageBytes = {
  image: number;
  volume: number;
  cache: number;
};

/** Bytes of the file system that the engine keeps its things on. */
export type StorageDisk = {
  total: number;
  free: number;
};

export type StorageStatus = {
  path: string;
  bytes: number;
  lines: number;
};

/** `size`: bytes that go with it, null where nobody knows; `shared`: those that others have as well. `ours`: whether CloudBang made it; `kept`: whether a clean-up leaves it in any case. */
export type StorageThing = {
  kind: "image" | "volume" | "network" | "cache";
  id: string;
  name: string;
  names: string[];
  note: string;
  size: number | null;
  shared: number;
  created: string | null;
  used_by: StorageUse[];
  ours: boolean;
  kept: boolean;
};

/** Who uses something. `name` and `app` are empty where they are another team's. */
export type StorageUse = {
  by: "container" | "service" | "release";
  name: string;
  app: string;
  running: boolean;
};

/** WebSockets and event streams that `ended`, open together for `seconds`; what is `open` now, requests with them, null where it cannot be told. */
export type StreamConnections = {
  ended: number;
  seconds: number;
  open: number | null;
};

/** What a container would be as an app. `spec` is SPEC; `because`: what only one of the two can have, so that the container is stopped before the app starts. */
export type TakeOver = {
  container: string;
  name: string;
  app: string;
  spec: Record<string, unknown>;
  left: NotCarriedOver[];
  because: string[];
};

/** `spec`: SPEC, other than the one that was proposed. */
export type TakeOverRequest = {
  spec?: Record<string, unknown> | null;
};

/** `refused`: the index of each that was not taken, and why. */
export type TakenSamples = {
  taken: number;
  refused: ([number, string])[];
};

/** `created_at` is null for the team `default`, which every installation has. `apps` counts those that are gone, too. */
export type Team = {
  name: string;
  created_at: string | null;
  members: Member[];
  apps: number;
};

export type Teams = {
  teams: Team[];
};

/** `names`: the accounts that look; `container` is empty for a command of the host. */
export type Terminal = {
  id: string;
  kind: "exec" | "toolbox" | "share";
  team: string;
  app: string;
  container: string;
  name: string;
  image: string;
  command: string[];
  user: string;
  folder: string;
  account: string;
  account_id: number | null;
  address: string;
  started: string;
  ended: string | null;
  state: "running" | "ended";
  people: number;
  names: string[];
  columns: number;
  rows: number;
  exit_code: number | null;
  reason: string | null;
  recorded: boolean;
  recording_bytes: number;
  title: string;
};

/** `next`: what to ask for with before=, null at the end. */
export type TerminalHistory = {
  terminals: Terminal[];
  next: number | null;
};

export type Terminals = {
  terminals: Terminal[];
};

/** What the service said: its code, its words. */
export type TestOutcome = {
  accepted: boolean;
  code: string;
  text: string;
};

/** What the terminal's socket takes: team, app, container and, in `Md5`, the ticket. */
export type Ticket = {
  T_id: string;
  S_id: string;
  C_id: string;
  Md5: string;
  url: string;
  session: string;
};

/** `token`: the secret, in the answer that made it and never again. From `ends_at` on it is refused (`ended`); after a rotation the secret before is good until `old_ends_at`. `address`: from where it was last used. */
export type Token = {
  id: string;
  name: string;
  role: "admin" | "viewer";
  own: boolean;
  created_at: string;
  seen_at: string | null;
  address: string;
  ends_at: string | null;
  ended: boolean;
  old_ends_at: string | null;
  token?: string;
};

export type Tokens = {
  tokens: Token[];
};

/** `columns`: time, requests, errors and the three quantiles, null where it was not measured; `left`: clients that went before the answer; `off_by`: a count of `top` may be that much larger; `trouble`: why the newest may be missing. */
export type Traffic = {
  since: number;
  until: number;
  read: number;
  width: number;
  routed: boolean;
  requests: number;
  errors: number;
  left: number;
  bytes: number;
  statuses: Record<string, number>;
  methods: Record<string, number>;
  latency: Latency;
  connections: StreamConnections;
  clients: DistinctClients;
  columns: ((number | null)[])[];
  heat: HeatMap;
  top: AskedAddress[];
  by_mean?: AskedAddress[];
  by_count?: AskedAddress[];
  others: OtherAddresses;
  off_by: number;
  trouble: string | null;
};

/** An app whose log could not be looked at to its end, and why. */
export type UnreadLog = {
  app: string;
  message: string;
};

/** One app of a stack, which is called `stack.name`. `after`: the services that have to serve before it is begun. */
export type WantedService = {
  name: string;
  spec: Record<string, unknown>;
  after?: string[];
};

/** The apps of a stack, as a draft of a Compose file has them. `team`: whose all of them are to be, as of one deployment. */
export type WantedStack = {
  services: WantedService[];
  team?: string;
};

/** `path` of its address on this server. */
export type Webhook = {
  id: number;
  kind: "github" | "gitlab" | "gitea" | "plain";
  branch: string;
  paths: string[];
  enabled: boolean;
  by: string;
  created: string;
  path: string;
  deliveries: WebhookDelivery[];
};

export type WebhookChange = {
  branch?: string | null;
  paths?: string[] | null;
  enabled?: boolean | null;
};

/** `outcome`: begun, why it deployed nothing, or the code of an error. */
export type WebhookDelivery = {
  received: string;
  deployment: number | null;
  outcome: string;
};

export type WebhookSecret = {
  id: number;
  kind: "github" | "gitlab" | "gitea" | "plain";
  branch: string;
  paths: string[];
  enabled: boolean;
  by: string;
  created: string;
  path: string;
  deliveries: WebhookDelivery[];
  secret: string;
};

export type Webhooks = {
  webhooks: Webhook[];
};

/** What would be deleted at once; `until`: the time of the last line of it. */
export type WouldGo = {
  bytes: number;
  lines: number;
  until: string | null;
};

export type cloudbang__web__api__schemas__deployments__NotHonoured = {
  field: string;
  reason: string;
};

/** `service`: of a Compose file; "" where it concerns all of it. `why` in the reader's language. */
export type cloudbang__web__api__schemas__drafts__NotHonoured = {
  service: string;
  key: string;
  why: string;
};
