// Made by scripts/generate.py of cloudbang/domain/seen_text.py: change it there, then `make generated`.

/** @type {readonly string[]} */
export const MESSAGES = ["message", "msg", "@message", "@m", "renderedmessage", "rendered_message", "textpayload", "short_message", "m", "@mt", "messagetemplate", "message_template"];
/** @type {readonly string[]} */
export const TEMPLATES = ["@mt", "messagetemplate", "message_template"];
/** @type {readonly string[]} */
export const HOLDERS = ["fields", "record", "jsonpayload", "message", "msg", "body"];
/** @type {readonly string[]} */
export const NAMED_AFTER_IT = ["message", "msg", "body"];
/** @type {readonly string[]} */
export const INNER = ["text", "body", "content", "value", "stringvalue"];
/** @type {readonly string[]} */
export const OTHERWISE = ["event", "text", "log", "body", "error", "err", "exception", "data", "attributes", "reason", "detail"];
/** @type {readonly string[]} */
export const PROPERTIES = ["properties", "state", "attributes", "fields"];
export const VALUE_OF = "=([{,\"'";
export const WITHIN = 3; // strings, one in the other, are read
// eslint-disable-next-line no-control-regex
export const HOME = /\x1b\[(?:[01]?G|2K|[0-9]{3,}D)|\x1b8/g;
export const LEFT = /\x1b\[([0-9]{0,2})D/g;
export const TOKEN = /\{\{|\}\}|\{[@$]?([A-Za-z_0-9.]+)(?:,-?[0-9]+)?(:[^{}]*)?\}/g;
export const LAST = /^(?:@?(?:time|timestamp|t|ts|datetime|date|asctime|eventtime|level|l)|lvl|severity|levelname|levelno|level_?name|log[._]?level|severity_?text|fields\.level|@mt|@r|message_?template)$/i;

/** What writers call a level. @type {Record<string, string>} */
export const LEVEL_NAMES = {"trace": "trace trc trce finest finer verbose vrb verb all", "debug": "debug dbg dbug debg debu fine config debug1 debug2 debug3 debug4 debug5 调试", "info": "info inf message information informational notice log note system success ok audit 信息", "warning": "warning warn wrn wrng deprecated deprecation 警告", "error": "error err erro eror fail failure severe critical crit fatal ftl fata panic pnc pani emerg emer emergency alert dpanic 错误 严重 致命"};
