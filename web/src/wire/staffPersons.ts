/** Who a customer is on other channels, and what staff make of their cases. */
import { staffRequest } from "./api";

const part = encodeURIComponent;

export interface Identity {
  id: string;
  name: string;
  /** `web`, `wechat`, `site` (signed by the host site) or `webhook`. */
  channel: string;
  since: string;
  proved: boolean;
  /** The one that this conversation is with. */
  here: boolean;
}

export interface PersonJoin {
  id: string;
  /** What proved it, in words. */
  how: string;
  at: string;
  undone_at: string | null;
  may_undo: boolean;
}

export interface PersonCase {
  id: string;
  conversation: string | null;
  matter: string;
  stage: string;
  order_number: string | null;
  opened_at: string;
}

export interface CasePart {
  conversation: string;
  private: boolean;
  channel: string;
  last_at: string;
  here: boolean;
}

export interface CaseStep {
  id: string;
  kind: "merge" | "split";
  kept: string;
  other: string;
  matter: string;
  reason: string;
  by: string;
  at: string;
  undone_at: string | null;
}

export interface Person {
  identities: Identity[];
  joins: PersonJoin[];
  parts: CasePart[];
  /** Other cases of the person, newest first. */
  cases: PersonCase[];
  steps: CaseStep[];
  /** When and why a new complaint went on in this case. */
  went_on: { at: string; why: string }[];
}

export interface Split {
  failure: string;
  messages: string[];
  whole: boolean;
  reason: string;
}

export const personApi = {
  of: (conversation: string) =>
    staffRequest<Person>("GET", `/conversations/${part(conversation)}/person`),
  merge: (conversation: string, other: string, reason: string) =>
    staffRequest<{ join: string }>("POST", `/conversations/${part(conversation)}/merge`, {
      case: other,
      reason,
    }),
  split: (conversation: string, split: Split) =>
    staffRequest<{ conversation: string }>(
      "POST",
      `/conversations/${part(conversation)}/split`,
      split,
    ),
  undoStep: (step: string) =>
    staffRequest<unknown>("POST", `/case-joins/${part(step)}/undo`, {}),
  undoJoin: (join: string) =>
    staffRequest<unknown>("POST", `/person-joins/${part(join)}/undo`, {}),
};
