/** What customers ask about their data, and what was done (docs/personal-data.md). */
import { staffDownload, staffRequest } from "./api";

/** The one word that has to be typed before anything is deleted. */
export const CONFIRM = "删除";

/** What a customer's own page is told. */
export interface OwnData {
  /** When the erasure was asked for that is still to come; null: none is. */
  asked_at: string | null;
  due_at: string | null;
  /** Something that was agreed is done first. */
  waits: boolean;
}

export type Counts = Record<string, number>;

export interface DataRequest {
  id: string;
  /** Empty for what belongs to no business in particular. */
  business: string;
  kind: "export" | "erase" | "retain";
  state: "open" | "ready" | "clearing" | "done" | "refused";
  asked_by: "customer" | "staff" | "desk";
  asked_at: string;
  due_at: string;
  settled_at: string | null;
  decided_by: string;
  reason: string;
  waits: boolean;
  /** One of theirs, where they are not erased yet. */
  conversation: string | null;
  counts: Counts;
}

export interface Retention {
  conversations_days: number;
  pictures_days: number;
  logs_days: number;
  audit_days: number;
  wechat_days: number;
  trackers_days: number;
}

export interface Privacy {
  requests: DataRequest[];
  retention: Retention;
}

export interface DataPerson {
  business: string;
  names: string[];
  channels: string[];
  conversations: number;
  cases: number;
  unfinished: number;
  request: string | null;
}

const part = encodeURIComponent;
const of = (conversation: string): string => `/privacy/conversations/${part(conversation)}`;

export const privacyApi = {
  overview: () => staffRequest<Privacy>("GET", "/privacy"),
  person: (conversation: string) => staffRequest<DataPerson>("GET", of(conversation)),
  erase: (conversation: string, confirm: string) =>
    staffRequest<{ state: string; counts: Counts }>("POST", `${of(conversation)}/erase`, {
      confirm,
    }),
  export: (conversation: string) => staffDownload(`${of(conversation)}/export`, "POST"),
  carryOut: (request: string, confirm: string) =>
    staffRequest<{ state: string; counts: Counts }>(
      "POST",
      `/privacy/requests/${part(request)}/carry_out`,
      { confirm },
    ),
  refuse: (request: string, reason: string) =>
    staffRequest<{ state: string }>("POST", `/privacy/requests/${part(request)}/refuse`, {
      reason,
    }),
};
