// The tables of levels.js.

/** @typedef {"trace" | "debug" | "info" | "warning" | "error"} Level */

/** From harmless to bad. @type {readonly Level[]} */
export const LEVELS = ["trace", "debug", "info", "warning", "error"];

export const LOOKED_AT = 2048; // characters of a line that are looked at
export const WORD_WITHIN = 160; // and for a bare word such as ERROR

/** What writers call a level. @type {Record<Level, string>} */
export const NAMES = {"trace": "trace trc trce finest finer verbose vrb verb all", "debug": "debug dbg dbug debu fine config debug1 debug2 debug3 debug4 debug5 调试", "info": "info inf information informational notice log note system success ok 信息", "warning": "warning warn wrn wrng 警告", "error": "error err erro eror fail failure severe critical crit fatal ftl fata panic pnc pani emerg emergency alert dpanic 错误 严重 致命"};

/** @type {readonly Level[]} */
export const SYSLOG = ["error", "error", "error", "error", "warning", "info", "info", "debug"];
/** @type {readonly Level[]} */
export const PYTHON = ["debug", "info", "warning", "error", "error"];
/** @type {Record<string, Level>} */
export const GLOG = {"I": "info", "W": "warning", "E": "error", "F": "error"};
/** @type {Record<string, Level>} */
export const REDIS = {".": "debug", "-": "debug", "*": "info", "#": "warning"};
/** @type {Record<string, Level>} */
export const MONGO = {"F": "error", "E": "error", "W": "warning", "I": "info", "D": "debug"};

export const MONGO_JSON = /^\{"t":\{"\$date":"[^"]*"\},\s*"s":\s*"([FEWID])/;
export const PRIORITY = /^<([0-9]{1,3})>/;
export const KLOG = /^([IWEF])[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}/;
export const REDIS_LINE = /^[0-9]+:[XCSM] [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:.]{8,15} ([.\-*#]) /;
export const HINT = /[A-Z]{3}|[\[(<【::]/;
export const FAILURE = /^(?:Traceback \(most recent call last\):|panic: |fatal error: |Exception in thread \"|Unhandled exception|Unhandled Exception|Caused by: |Uncaught |(?:[A-Za-z_$][A-Za-z0-9_$]*[.:]{1,2})*[A-Z][A-Za-z0-9_$]*(?:Error|Exception|Failure)(?::|$| \[)|thread '[^']*' panicked at |Segmentation fault)/;
export const JSON_FIELD = /"(?:level|lvl|severity|levelname|log\.level|loglevel|log_level|level_name|@l|@level|levelno|severity_text|severityText|LogLevel|Level|Severity)"\s*:\s*(?:"([^"]{1,20})"|([0-9]{1,3})\b)/g;
export const LOGFMT = /(?:^|[\s,{])(?:level|lvl|severity|loglevel|log_level|log\.level)[=:] ?"?([A-Za-z]{2,13})\b/g;
export const WORD = /(?:^|[\s\[(<|.:\"'}\-])(TRACE|DEBUG[1-5]?|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|CRIT|SEVERE|PANIC|EMERG|ALERT|LOG(?=:  )|TRC|DBG|INF|WRN|ERR|FTL|PNC|TRCE|DEBU|ERRO|FATA|PANI|FINEST|FINER|FINE)(?=$|[\s\])>|:,\[\"'(])|[\[(<【]\s*([A-Za-z]{3,13}|调试|信息|警告|错误|严重|致命)\s*[\])>】]|(?:^|[0-9Z\])]\s+)(trace|debug|info|information|notice|warn|warning|error|err|fatal|critical|crit|fail|trce|dbug|panic|verbose|调试|信息|警告|错误|严重|致命)(?:\[[0-9]+\])?[::]/g;
