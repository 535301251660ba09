// Made by scripts/generate.py of cloudbang/domain/query: change it there, then `make generated`.

export const METHOD_SIGN = /(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH)[ ]+\"?\S|Completed [1-5]/;
/** How servers write what they were asked; the first that fits counts. */
export const WAYS = [
  /"(?<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH) (?<target>(?:\/|\*|https?:\/\/|[\w.-]{1,200}:[0-9])[^\s\"]{0,4000})(?: (?<protocol>HTTP\/[0-9.]{1,3}))?" from (?<client>[0-9a-fA-F.:]+?)(?::[0-9]+)? - (?<status>[1-5][0-9]{2}) (?<size>[0-9]+)B in (?<duration>[0-9.]+[a-zµ]+)/,
  /"(?<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH) (?<target>(?:\/|\*|https?:\/\/|[\w.-]{1,200}:[0-9])[^\s\"]{0,4000})(?: (?<protocol>HTTP\/[0-9.]{1,3}))?"(?::| -)?\s+(?<status>[1-5][0-9]{2})(?![\w.])(?: (?<size>[0-9]+)(?![\w.]))?(?: "(?<referer>[^"]*)" "(?<agent>(?:[^"\\]|\\.)*)")?/,
  /\|\s*(?<status>[1-5][0-9]{2})\s*\|\s*(?<duration>[0-9.]+[a-zµ]+)\s*\|\s*(?<client>[0-9a-fA-F.:]+)\s*\|\s*(?<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH)\s+\"?(?<target>(?:\/|\*|https?:\/\/|[\w.-]{1,200}:[0-9])[^\s\"]{0,4000})/,
  /\s(?<status>[1-5][0-9]{2}) (?<size>[0-9]+) [^"]{0,200}"(?<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH) (?<target>(?:\/|\*|https?:\/\/|[\w.-]{1,200}:[0-9])[^\s\"]{0,4000})(?: (?<protocol>HTTP\/[0-9.]{1,3}))?"/,
  /(?:^|[\s\[(])(?<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH) (?<target>(?:\/|https?:\/\/)[^\s\"]{0,4000})(?: (?<protocol>HTTP\/[0-9.]{1,3}))?(?: -)?(?: ->)?:? (?<status>[1-5][0-9]{2})(?![\w.])(?: (?:in )?(?<duration>[0-9.]+ ?(?:ns|µs|us|ms|s))(?![\w.]))?(?: - (?<size>[0-9]+)(?![\w.]))?/,
  /(?:^|\s)Completed (?<status>[1-5][0-9]{2}) [A-Z][A-Za-z ]{1,40} in (?<duration>[0-9.]+ ?(?:ms|s))(?![\w.])/,
  /(?:^|[\s\"\[(])(?<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH) \"?(?<target>\/[^\s\",)\]]{0,4000})\"?(?: (?<protocol>HTTP\/[0-9.]{1,3}))?(?: for (?<client>[0-9a-fA-F.:]+))?/,
];
export const CLIENT = /(?:^|[\s|\[,])((?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?=[0-9a-fA-F:]*::|(?:[0-9a-fA-F]{1,4}:){7})[0-9a-fA-F:]{3,39})(?::[0-9]{1,5})?(?=[\s|\],-]|$)/;
export const USER = /(?:^|\s)[^\s\"]{1,200} \S{1,100} ([^\s\"\[]{1,100}) \[[0-9]{1,2}\/[A-Z][a-z]{2}\/[0-9]{4}:/;
export const PAIR = /(?:^|[\s(\[{,;|])([A-Za-z_@\u3400-\u9fff][\w.@\/\u3400-\u9fff-]{0,100})=(\"(?:[^\"\\]|\\.)*(?:\"|$)|'[^']*'|(?:(?!\"|[,;][A-Za-z_@][\w.@\/-]{0,100}=)\S(?:(?![,;][A-Za-z_@][\w.@\/-]{0,100}=)\S)*)?)/g;
/** Nanoseconds. @type {Record<string, number>} */
export const TIMES = {"ns": 1, "nanos": 1, "us": 1000.0, "µs": 1000.0, "μs": 1000.0, "micros": 1000.0, "ms": 1000000.0, "millis": 1000000.0, "milliseconds": 1000000.0, "s": 1000000000.0, "sec": 1000000000.0, "secs": 1000000000.0, "second": 1000000000.0, "seconds": 1000000000.0, "m": 60000000000.0, "min": 60000000000.0, "mins": 60000000000.0, "minute": 60000000000.0, "minutes": 60000000000.0, "h": 3600000000000.0, "hour": 3600000000000.0, "hours": 3600000000000.0, "d": 86400000000000.0, "day": 86400000000000.0, "days": 86400000000000.0};
/** Bytes. @type {Record<string, number>} */
export const SIZES = {"b": 1, "byte": 1, "bytes": 1, "k": 1000.0, "kb": 1000.0, "mb": 1000000.0, "g": 1000000000.0, "gb": 1000000000.0, "t": 1000000000000.0, "tb": 1000000000000.0, "ki": 1024.0, "kib": 1024.0, "mi": 1048576.0, "mib": 1048576.0, "gi": 1073741824.0, "gib": 1073741824.0, "ti": 1099511627776.0, "tib": 1099511627776.0};
export const WHOLE = /^([+-]?)((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?) ?([A-Za-zµμ]+|%)?$/;
export const PARTS = /^(?:[0-9]+(?:\.[0-9]+)?[A-Za-zµμ]+){2,6}$/;
export const PART = /([0-9]+(?:\.[0-9]+)?)([A-Za-zµμ]+)/g;
export const NAMED = /(?:(?:^|[_.-])(ns|nanos|us|micros|ms|millis|milliseconds|s|sec|secs|seconds|minutes|hours|bytes|kb|mb|gb|kib|mib|gib)|[a-z0-9](Ns|Nanos|Us|Micros|Ms|Millis|Milliseconds|Sec|Secs|Seconds|Minutes|Hours|Bytes|KB|Kb|MB|Mb|KiB|MiB|GiB))$/;
