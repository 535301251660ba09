// Which browser a User-Agent is, as its owner would call it. Pure.

/** @type {[RegExp, string][]} the more particular first: nearly all call themselves Chrome too */
const BROWSERS = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bMicroMessenger\//, "WeChat"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/\bcurl\//, "curl"],
];

/** @type {[RegExp, string][]} */
const SYSTEMS = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/**
 * "Firefox, Linux", or the start of what it says of itself.
 *
 * @param {string} agent
 */
export function browserName(agent) {
  const found = [BROWSERS, SYSTEMS].flatMap((list) => {
    const known = list.find(([pattern]) => pattern.test(agent));
    return known ? [known[1]] : [];
  });
  return found.length ? found.join(", ") : agent.slice(0, 40);
}
