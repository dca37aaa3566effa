import { watch } from "vue";
import dotted from "../assets/mark-new.svg";
import type { Notice, Row } from "../wire/staff";
import { listOf } from "./list/lists";
import { allowSound, ring } from "./sound";
import { live } from "./useLive";
import { useDesk } from "./useDesk";
import { useRows } from "./useRows";
import { useSession } from "./useSession";

const RINGING: readonly Notice["kind"][] = [
  "mention",
  "whisper",
  "transfer",
  "assigned",
  "attention",
  "request",
  "decided",
];

/** Whether a change of a row is news that this member should hear of. */
export function calls(row: Row, before: Row | undefined, me: number, now: Date): boolean {
  const list = listOf(row, me, now);
  if (list === "queue") return !before || listOf(before, me, now) !== "queue";
  return list === "mine" && row.unread > (before?.unread ?? 0);
}

/**
 * Calls for the member's attention: a sound and a dot on the window's icon for what is new in the
 * queue, in the own conversations, and for mentions. Begun by the frame of the staff pages.
 *
 * @returns how to end it.
 */
export function beginAttention(): () => void {
  const session = useSession();
  const store = useRows();
  const { opened } = useDesk();
  const icon = document.querySelector<HTMLLinkElement>("link[rel~=icon]");
  const plain = icon?.href;

  /** What is before somebody's eyes needs no sound. */
  const seen = (conversation: string | null): boolean =>
    document.hasFocus() && conversation !== null && conversation === opened.value;

  const ends = [
    allowSound(),
    store.onChange((changes) => {
      const me = session.me.value?.id;
      if (me === undefined) return;
      const now = new Date();
      if (changes.some(({ row, before }) => !seen(row.id) && calls(row, before, me, now))) ring();
    }),
    live.on("notice", ({ notice }) => {
      if (RINGING.includes(notice.kind) && !seen(notice.conversation)) ring();
    }),
    watch(
      store.unread,
      (count) => {
        session.badge.value = count;
        if (icon && plain) icon.href = count > 0 ? dotted : plain;
      },
      { immediate: true },
    ),
  ];
  return () => {
    for (const end of ends) end();
    if (icon && plain) icon.href = plain;
  };
}
