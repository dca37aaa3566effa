import { watch, type Ref } from "vue";

/** Runs `begin` each time a dialog opens, so that it starts afresh, and `closed` when it shuts. */
export function useOpening(open: Ref<boolean>, begin: () => void, closed: () => void): void {
  watch(
    open,
    (now, before) => {
      if (now) begin();
      else if (before) closed();
    },
    { immediate: true },
  );
}
