import { afterEach, describe, expect, it } from "vitest";
import { createApp, h, type App } from "vue";
import OfferCard from "../src/chat/OfferCard.vue";
import { partsOf } from "../src/chat/parts";
import { industryName } from "../src/parts/industries";
import type { OfferEvent, OfferItem } from "../src/wire/contract";

const NOW = new Date("2026-11-22T04:00:00Z");
const OWED: OfferItem = { title: "全额退款688元", detail: "按原路退回您付款的账户", part: "floor" };
const GIVEN: OfferItem = { title: "50元无门槛券", detail: "一年内有效", part: "goodwill" };

let app: App | undefined;

afterEach(() => {
  app?.unmount();
  document.body.replaceChildren();
});

function card(changes: Partial<OfferEvent> = {}, staff = false): HTMLElement {
  const root = document.createElement("div");
  document.body.append(root);
  const offer: OfferEvent = {
    id: "o1.open",
    at: NOW.toISOString(),
    kind: "offer",
    offer: "o1",
    items: [GIVEN, OWED],
    reason: "房间没有打扫干净",
    steps: ["退款当天提交"],
    expires: "2026-11-24T04:00:00Z",
    state: "open",
    ...changes,
  };
  app = createApp({ render: () => h(OfferCard, { offer, now: NOW, staff }) });
  app.mount(root);
  return root.querySelector<HTMLElement>("[data-testid=offer-card]") as HTMLElement;
}

const texts = (root: ParentNode, selector: string): string[] =>
  [...root.querySelectorAll(selector)].map((one) => one.textContent?.trim() ?? "");

describe("an offer", () => {
  it("tells what is owed apart from what is given beyond it, what is owed first", () => {
    const shown = card();
    expect(texts(shown, "[data-testid=offer-part]")).toEqual(["应给您的", "另外的心意"]);
    expect(texts(shown, ".goods strong")).toEqual([OWED.title, GIVEN.title]);
    for (const list of shown.querySelectorAll(".goods")) {
      const label = document.getElementById(list.getAttribute("aria-labelledby") ?? "");
      expect(label?.tagName).toBe("H4");
    }
  });

  it("needs no labels where there is but one part, nor for offers of before", () => {
    for (const items of [[OWED], [GIVEN], [{ title: "换房", detail: "" }]]) {
      const shown = card({ items });
      expect(texts(shown, "[data-testid=offer-part]")).toEqual([]);
      expect(shown.querySelector(".goods")?.hasAttribute("aria-labelledby")).toBe(false);
      expect(texts(shown, ".goods strong")).toEqual(items.map((item) => item.title));
      app?.unmount();
    }
  });

  it("says that it is not final only where it is not", () => {
    expect(card().querySelector("[data-testid=offer-provisional]")).toBeNull();
    app?.unmount();
    const shown = card({ provisional: true });
    expect(texts(shown, "[data-testid=offer-provisional]")).toEqual([
      "这不是最后的处理，同事会接着跟进",
    ]);
  });

  it("stays readable once it is replaced, without what will not be done any more", () => {
    const shown = card({ state: "replaced", provisional: true });
    expect(shown.dataset["state"]).toBe("replaced");
    expect(texts(shown, ".goods strong")).toEqual([OWED.title, GIVEN.title]);
    expect(shown.textContent).toContain("房间没有打扫干净");
    expect(shown.textContent).toContain("已换成新的方案");
    expect(shown.textContent).not.toContain("退款当天提交");
    expect(shown.querySelector("[data-testid=offer-provisional]")).toBeNull();
  });

  it("speaks of the customer to staff", () => {
    const shown = card({ state: "accepted" }, true);
    expect(texts(shown, "[data-testid=offer-part]")).toEqual(["应给顾客的", "另外的心意"]);
    expect(shown.textContent).toContain("顾客已接受");
    expect(shown.textContent).not.toContain("您已接受");
  });
});

describe("parts", () => {
  it("lose no item", () => {
    const items = [GIVEN, { title: "换房", detail: "" }, OWED];
    expect(partsOf(items).flatMap((group) => group.items)).toHaveLength(3);
    expect(partsOf([])).toEqual([]);
  });
});

describe("industries", () => {
  it("have names for every trade", () => {
    const trades = ["hotel", "shop", "restaurant", "retail", "property", "travel"];
    const names = trades.map(industryName);
    expect(names).toEqual(["酒店住宿", "网上商城", "餐饮", "零售门店", "物业服务", "旅行社"]);
    expect(industryName("养老院")).toBe("养老院");
  });
});
