import { computed, onScopeDispose, ref, watch } from "vue";
import { theme } from "./preferences";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const systemDark = ref(dark.matches);
dark.addEventListener("change", (event) => (systemDark.value = event.matches));

/** What is shown now, by choice or by the system. */
export const themeShown = computed<"light" | "dark">(() => {
  if (theme.value !== "system") return theme.value;
  return systemDark.value ? "dark" : "light";
});

/** Keeps the chosen look on the document while the staff page lives. */
export function useTheme(): void {
  const root = document.documentElement;
  watch(
    theme,
    (chosen) => {
      if (chosen === "system") delete root.dataset["theme"];
      else root.dataset["theme"] = chosen;
    },
    { immediate: true, flush: "sync" },
  );
  // A customers' page that is opened next keeps to the system.
  onScopeDispose(() => delete root.dataset["theme"]);
}

/** A colour of the tokens as it is shown now, for a canvas, which knows no variables. */
export function cssColour(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
