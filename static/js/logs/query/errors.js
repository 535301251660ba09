// What is wrong with a query, in a sentence: as cloudbang/web/api/query_match.py says it.

import { t } from "../../lib/i18n.js";

/** @param {import("./language.js").QueryError} error */
export function sentenceOf({ mistake, at, part }) {
  const facts = { place: at + 1, part };
  switch (mistake) {
    case "too-many":
      return t("at character {place}: a query has at most 50 terms", facts);
    case "no-end":
      return t("at character {place}: the quote before {part} has no end", facts);
    case "behind":
      return t("at character {place}: a blank is missing before {part}", facts);
    case "nothing":
      return t("at character {place}: there is nothing between the quotes", facts);
    case "no-value":
      return t(
        "at character {place}: a value is missing behind {part}; in quotes it is looked for as text",
        facts,
      );
    case "no-number":
      return t("at character {place}: {part} is no number, duration or size", facts);
    case "no-level":
      return t(
        "at character {place}: {part} is no level; there are trace, debug, info, warning, error and none",
        facts,
      );
    case "turned":
      return t("at character {place}: {part} ends before it begins", facts);
    default:
      return t("the query is longer than 1,000 characters");
  }
}
