/** What the page of the survey and the desk tell each other; see docs/aftercare.md. */

export interface Dimension {
  id: string;
  /** One statement; asked how it should be, and how it was. */
  text: string;
}

export interface Survey {
  state: "open" | "done" | "expired";
  business: string;
  /** The rest only while it is open. */
  matter?: string;
  dimensions?: Dimension[];
}

export interface SurveyAnswers {
  /** 1 to 7 by dimension. */
  expected: Record<string, number>;
  perceived: Record<string, number>;
  /** 1 (much worse than expected) to 5 (much better). */
  confirmed: number;
  /** 0 to 10. */
  recommend: number;
  words: string;
}
