import type { Dimension, SurveyAnswers } from "../wire/survey";

/** What has been chosen so far; null where nothing is. */
export interface Draft {
  expected: Record<string, number | null>;
  perceived: Record<string, number | null>;
  confirmed: number | null;
  recommend: number | null;
  words: string;
}

export const LONGEST = 500;
export const SCALE = [1, 2, 3, 4, 5, 6, 7] as const;
export const RECOMMEND = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const;
export const CONFIRMED = [
  { value: 1, title: "差很多" },
  { value: 2, title: "差一些" },
  { value: 3, title: "差不多" },
  { value: 4, title: "好一些" },
  { value: 5, title: "好很多" },
] as const;

export function emptyDraft(dimensions: readonly Dimension[]): Draft {
  const none = (): Record<string, number | null> =>
    Object.fromEntries(dimensions.map((one) => [one.id, null]));
  return { expected: none(), perceived: none(), confirmed: null, recommend: null, words: "" };
}

/** How far it is: the questions that are answered whole, of all that have to be. */
export function progress(draft: Draft): { done: number; all: number } {
  const ids = Object.keys(draft.expected);
  const pairs = ids.filter((id) => draft.expected[id] != null && draft.perceived[id] != null);
  const single = [draft.confirmed, draft.recommend].filter((one) => one !== null);
  return { done: pairs.length + single.length, all: ids.length + 2 };
}

/** The first question that is not answered whole: what the reader is led to. */
export function firstMissing(draft: Draft): string | null {
  for (const id of Object.keys(draft.expected)) {
    if (draft.expected[id] == null || draft.perceived[id] == null) return id;
  }
  if (draft.confirmed === null) return "confirmed";
  return draft.recommend === null ? "recommend" : null;
}

/** What is sent; null while something is missing. */
export function answersOf(draft: Draft): SurveyAnswers | null {
  const { confirmed, recommend } = draft;
  if (firstMissing(draft) !== null || confirmed === null || recommend === null) return null;
  return {
    expected: draft.expected as Record<string, number>,
    perceived: draft.perceived as Record<string, number>,
    confirmed,
    recommend,
    words: draft.words.trim(),
  };
}
