// Calls of the HTTP API: the cookie of a login, CSRF token, problem documents.

/** What the API said when it did not do what it was asked. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when no answer came
   * @param {string} code stable; "unreachable" when no answer came
   * @param {string} message a sentence for a person
   * @param {number | null} retryAfter seconds
   * @param {string} field of what was sent: what of it cannot be used
   */
  constructor(status, code, message, retryAfter = null, field = "") {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.field = field;
  }
}

/**
 * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @param {AbortSignal} [signal] ends the waiting
 * @returns {Promise<any>} the JSON of the answer, null when it has none
 * @throws {Problem}
 */
export async function call(method, path, body, signal) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal });
  } catch {
    throw new Problem(0, "unreachable", "");
  }
  const json = await answer.json().catch(() => null);
  if (answer.ok) return json;
  const retry = Number(answer.headers.get("Retry-After")) || null;
  throw problemOf(answer.status, json, retry);
}

/**
 * @param {number} status
 * @param {any} json the body of the answer, null where it was none
 * @param {number | null} [retry] seconds
 */
export function problemOf(status, json, retry = null) {
  const message = json?.detail ?? json?.title ?? "";
  return new Problem(status, json?.code ?? "", message, retry, json?.field ?? json?.name ?? "");
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
    throw problemOf(answer.status, await answer.json().catch(() => null));
  }
  asked.abort();
  location.assign(address);
}

/** What a change has to show beside the cookie. */
export function csrfToken() {
  const meta = document.querySelector('meta[name="csrf-token"]');
  return meta instanceof HTMLMetaElement ? meta.content : "";
}
