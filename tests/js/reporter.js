// What the tests of the pages' modules say: a failure whole, else one line in the end.
import { inspect } from "node:util";

/** @param {AsyncIterable<{type: string, data: any}>} events node's, of its test runner */
export default async function* (events) {
  let [passed, failed] = [0, 0];
  for await (const { type, data } of events) {
    if (type === "test:stderr" || type === "test:stdout") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (data.details?.type === "suite") continue;
    if (type === "test:pass") {
      passed += 1;
      continue;
    }
    failed += 1;
    const error = data.details?.error;
    yield `FAILED ${data.file ?? ""} - ${data.name}\n${inspect(error?.cause ?? error)}\n\n`;
  }
  yield `${passed} tests of the pages' modules passed, ${failed} failed\n`;
}
