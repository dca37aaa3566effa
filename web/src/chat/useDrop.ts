import { ref } from "vue";

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Files dragged onto an element: whether some hover above it, and what is dropped. */
export function useDrop(take: (files: File[]) => void) {
  const dropping = ref(false);
  const listeners = {
    dragover(event: DragEvent): void {
      if (!carriesFiles(event)) return;
      // Without this the browser would leave the page and open the file.
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
      dropping.value = true;
    },
    dragleave(event: DragEvent): void {
      const area = event.currentTarget as Node;
      // Going on to a part of the area is no leaving.
      if (!(event.relatedTarget instanceof Node && area.contains(event.relatedTarget))) {
        dropping.value = false;
      }
    },
    drop(event: DragEvent): void {
      dropping.value = false;
      if (!carriesFiles(event)) return;
      event.preventDefault();
      take([...(event.dataTransfer?.files ?? [])]);
    },
  };
  return { dropping, listeners };
}
