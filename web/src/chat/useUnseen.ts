import { onScopeDispose, ref, watch, type Ref } from "vue";
import { isMine, type Item } from "./items";

/** How many messages of others came while the window was hidden. */
export function useUnseen(items: Readonly<Ref<Item[]>>, settled: Readonly<Ref<boolean>>): Ref<number> {
  const unseen = ref(0);
  watch(items, (now, before) => {
    if (!settled.value || document.visibilityState === "visible") return;
    const known = new Set(before.map((item) => item.key));
    unseen.value += now.filter((item) => !known.has(item.key) && !isMine(item)).length;
  });
  const look = (): void => {
    if (document.visibilityState === "visible") unseen.value = 0;
  };
  document.addEventListener("visibilitychange", look);
  onScopeDispose(() => document.removeEventListener("visibilitychange", look));
  return unseen;
}
