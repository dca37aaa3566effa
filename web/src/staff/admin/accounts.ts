import type { Account } from "../../wire/staff";
import type { AccountChange } from "../../wire/staffAdmin";

/** Without what is easily taken for something else: 0 O 1 l I. */
const LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 14;

/** A password to hand over once, by chance of the browser's own source. */
export function freshPassword(): string {
  let made = "";
  while (made.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH))) {
      // Beyond the last whole round some letters would come more often.
      if (byte < LETTERS.length * 4 && made.length < LENGTH) made += LETTERS[byte % LETTERS.length];
    }
  }
  return made;
}

type Wanted = Pick<Account, "name" | "role" | "business" | "skills" | "capacity">;

/** Only what is different from before: what is not named does not end a session. */
export function changesOf(before: Account, wanted: Wanted): AccountChange {
  const change: AccountChange = {};
  if (wanted.name !== before.name) change.name = wanted.name;
  if (wanted.role !== before.role) change.role = wanted.role;
  if (wanted.business !== before.business) change.business = wanted.business;
  if (wanted.capacity !== before.capacity) change.capacity = wanted.capacity;
  const same = [...wanted.skills].sort().join() === [...before.skills].sort().join();
  if (!same) change.skills = wanted.skills;
  return change;
}

export type AccountState = "disabled" | "locked" | "must_change" | "fine";

/** What there is to say about an account, the weightiest first. */
export function accountState(account: Account, now: Date): AccountState {
  if (account.disabled_at) return "disabled";
  if (account.locked_until && Date.parse(account.locked_until) > now.getTime()) return "locked";
  return account.must_change ? "must_change" : "fine";
}

/** Those in use first, then by name. */
export function inOrder(accounts: readonly Account[]): Account[] {
  return [...accounts].sort(
    (one, other) =>
      Number(one.disabled_at !== null) - Number(other.disabled_at !== null) ||
      one.name.localeCompare(other.name, "zh-CN") ||
      one.id - other.id,
  );
}
