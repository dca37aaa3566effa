import { watch, watchEffect, type Ref } from "vue";
import { useRouter } from "vue-router";

/**
 * Moves the focus to a page's heading when the reader came here from another page of ours, so
 * that a screen reader says where one is. On the first load the browser does that by itself.
 * A page that loads first shows another heading meanwhile; the focus follows.
 */
export function useHeadingFocus(heading: Readonly<Ref<HTMLElement | null>>): void {
  const cameFromAPage = typeof useRouter().options.history.state["back"] === "string";
  if (!cameFromAPage) return;
  watch(heading, (now) => now?.focus({ preventScroll: true }), { flush: "post" });
}

/** Keeps the window's title in step. */
export function useTitle(title: () => string): void {
  watchEffect(() => {
    document.title = title();
  });
}
