import type { OfferItem, OfferPart } from "../wire/contract";

/** What a remedy says that stands in no part: offers of before the two were told apart. */
const OWED: OfferPart = "floor";

/**
 * The items of an offer by part, what is owed first.
 *
 * @returns one group for each part that has items.
 */
export function partsOf<T extends OfferItem>(items: readonly T[]): { part: OfferPart; items: T[] }[] {
  return (["floor", "goodwill"] as const)
    .map((part) => ({ part, items: items.filter((item) => (item.part ?? OWED) === part) }))
    .filter((group) => group.items.length > 0);
}
