// Calls of the HTTP API: the cookie of a login, CSRF token, problem documents.

/** What the API said when it did not do what it was asked. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when no answer came
   * @param {string} code stable; "unreachable" when no answer came
   * @param {string} message a sentence for a person
   * @param {number | null} retryAfter seconds
   */
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/**
 * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} the JSON of the answer, null when it has none
 * @throws {Problem}
 */
export async function call(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Problem(0, "unreachable", "");
  }
  const json = await answer.json().catch(() => null);
  if (answer.ok) return json;
  const retry = Number(answer.headers.get("Retry-After")) || null;
  throw new Problem(answer.status, json?.code ?? "", json?.detail ?? json?.title ?? "", retry);
}

/**
 * Has the browser save what is at this address, unless the server refuses: a link to what is refused
 * does nothing that a person sees.
 *
 * @param {string} address
 * @throws {Problem}
 */
export async function download(address) {
  const asked = new AbortController();
  let answer;
  try {
    answer = await fetch(address, { signal: asked.signal });
  } catch {
    throw new Problem(0, "unreachable", "");
  }
  if (!answer.ok) {
    const json = await answer.json().catch(() => null);
    throw new Problem(answer.status, json?.code ?? "", json?.detail ?? json?.title ?? "");
  }
  asked.abort();
  location.assign(address);
}

function csrfToken() {
  const meta = document.querySelector('meta[name="csrf-token"]');
  return meta instanceof HTMLMetaElement ? meta.content : "";
}
