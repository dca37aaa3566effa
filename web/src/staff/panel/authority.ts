import type { Detail, Member } from "../../wire/staff";

const RANKS = ["bot", "agent", "manager"];

/** Whether an authority is enough for what is needed; as `recovery.roles.suffices`. */
export function may(authority: string | null, needed: string): boolean {
  return authority !== null && RANKS.indexOf(authority) >= RANKS.indexOf(needed);
}

/** Whether this member owns the conversation and may act in it. */
export function owns(detail: Detail, me: Member): boolean {
  return detail.conversation.owner === `staff:${me.id}` && me.may.includes("handle");
}
