/** The staff calls about one case: its remedies, requests, facts, owners and end. */
import { staffRequest } from "./api";
import type { HandChannel } from "./contract";
import type { Advice, Facts, Label, Preview, RemedyRequest, Wish } from "./staff";

const part = encodeURIComponent;
const at = (conversation: string, rest: string): string =>
  `/conversations/${part(conversation)}/${rest}`;

export interface HandCase {
  /** Made by the page; sent again under it, it is the same case. */
  id: string;
  business: string;
  channel: HandChannel;
  name: string;
  /** What the customer said first. */
  text: string;
  failure?: string;
  order_number?: string;
  phone_last4?: string;
  phone?: string;
}

/** What can go wrong at a business. */
export interface Failure {
  name: string;
  label: string;
}

/** What became of an open offer that the customer has not answered by its buttons. */
export type Settlement = "accept" | "refuse" | "withdraw";

export type Matched = "proved" | "not_matched" | "away";

export interface OfferWish {
  id: string;
  /** What differs from the policy; without it the policy's own remedies are offered. */
  remedies?: Wish[];
  reason?: string;
  /** The customer has said yes already. */
  agreed?: boolean;
}

/** What staff say at the end of a case: why it happened, and what is done about it. */
export interface Learned {
  cause?: string;
  action?: string;
  action_by?: string;
  action_due?: string;
}

export const caseApi = {
  preview: (conversation: string, remedies: Wish[]) =>
    staffRequest<Preview>("POST", at(conversation, "preview"), { remedies }),
  offer: (conversation: string, wish: OfferWish) =>
    staffRequest<{ offer: string; state: string }>("POST", at(conversation, "offers"), wish),
  settleOffer: (conversation: string, offer: string, how: Settlement) =>
    staffRequest<{ offer: string; state: string }>(
      "POST",
      at(conversation, `offers/${part(offer)}/${how}`),
      {},
    ),
  request: (conversation: string, wish: { id: string; remedies?: Wish[]; reason: string }) =>
    staffRequest<RemedyRequest>("POST", at(conversation, "requests"), wish),
  withdraw: (conversation: string, request: string) =>
    staffRequest<null>("DELETE", at(conversation, `requests/${part(request)}`)),
  grant: (request: string, note: string) =>
    staffRequest<RemedyRequest>("POST", `/requests/${part(request)}/grant`, note ? { note } : {}),
  refuse: (request: string, note: string) =>
    staffRequest<RemedyRequest>("POST", `/requests/${part(request)}/refuse`, { note }),
  retryRemedy: (conversation: string, key: string) =>
    staffRequest<unknown>("POST", at(conversation, `remedies/${part(key)}/retry`), {}),
  doneByHand: (conversation: string, key: string, note: string) =>
    staffRequest<unknown>("POST", at(conversation, `remedies/${part(key)}/done`), { note }),
  setPromise: (
    conversation: string,
    key: string,
    stage: string,
    due_at: string | null,
    reason: string,
  ) =>
    staffRequest<unknown>("POST", at(conversation, `remedies/${part(key)}/promise`), {
      stage,
      due_at,
      reason,
    }),
  setFacts: (conversation: string, facts: Facts) =>
    staffRequest<unknown>("POST", at(conversation, "facts"), facts),
  transfer: (conversation: string, to: number | "queue", memo: string) =>
    staffRequest<{ owner: string }>("POST", at(conversation, "transfer"), { to, memo }),
  giveBack: (conversation: string, note: string, stage: string | null, force = false) =>
    staffRequest<{ owner: string }>("POST", at(conversation, "give_back"), {
      note,
      at: stage,
      ...(force ? { force } : {}),
    }),
  /** @param learned nothing of it has to be said. */
  close: (
    conversation: string,
    outcome: string | null,
    note: string,
    force: boolean,
    learned: Learned = {},
  ) =>
    staffRequest<{ owner: string }>("POST", at(conversation, "close"), {
      outcome,
      note,
      ...learned,
      ...(force ? { force } : {}),
    }),
  snooze: (conversation: string, until: string | null, note: string, force = false) =>
    staffRequest<{ snoozed_until: string | null }>("POST", at(conversation, "snooze"), {
      until,
      note,
      ...(force ? { force } : {}),
    }),
  putLabels: (conversation: string, labels: number[]) =>
    staffRequest<{ labels: Label[] }>("PUT", at(conversation, "labels"), { labels }),
  /** @param when null: as the rules say. */
  planFollowUp: (conversation: string, when: string | null) =>
    staffRequest<unknown>("POST", at(conversation, "follow_up"), { at: when }),
  cancelFollowUp: (conversation: string) =>
    staffRequest<unknown>("DELETE", at(conversation, "follow_up")),
  /** @param rating null: nobody was reached. */
  followUpResult: (conversation: string, rating: number | null, words: string) =>
    staffRequest<unknown>("POST", at(conversation, "follow_up/result"), { rating, words }),
  failures: (business: string) =>
    staffRequest<{ failures: Failure[] }>(
      "GET",
      `/failures?business=${part(business)}`,
    ),
  /** Whether an order is the customer's; proved, it is from now on. */
  prove: (conversation: string, order_number: string, phone_last4: string) =>
    staffRequest<{ order: Matched }>("POST", at(conversation, "order"), { order_number, phone_last4 }),
  /** Says what the case is about. */
  place: (conversation: string, matter: { failure?: string; item?: string }) =>
    staffRequest<{ advice: Advice | null; no_advice: string | null }>(
      "POST",
      at(conversation, "matter"),
      matter,
    ),
  /** `order`: whether number and digits belong together; null where none were given. */
  openByHand: (entered: HandCase) =>
    staffRequest<{ conversation: string; order?: Matched | null }>(
      "POST",
      "/cases",
      entered,
    ),
};
