import type { Outgoing } from "../wire/outbox";
import type { Entry } from "./timeline";

/** One line of a conversation on the screen: said already, or still on its way. */
export type Item =
  | { key: string; entry: Entry; outgoing?: undefined }
  | { key: string; entry?: undefined; outgoing: Outgoing };

/** What was said, then what is on its way; invitations have their own place on the page. */
export function itemsOf(entries: readonly Entry[], pending: readonly Outgoing[]): Item[] {
  const items: Item[] = [];
  for (const entry of entries) {
    if (entry.event.kind !== "invitation") items.push({ key: entry.key, entry });
  }
  for (const outgoing of pending) items.push({ key: `say:${outgoing.id}`, outgoing });
  return items;
}

/** Whether the reader of this page wrote it. */
export function isMine(item: Item): boolean {
  return item.outgoing ? true : item.entry.event.kind === "message" && item.entry.event.mine;
}

/** The quick replies on their way; one that was refused for good can be chosen again. */
export function chosenTexts(pending: readonly Outgoing[]): string[] {
  return pending
    .filter((item) => item.button && (item.state !== "failed" || item.retry !== false))
    .map((item) => item.text);
}
