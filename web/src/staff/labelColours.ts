/** The colours that a label can have, as in recovery/store/labels.py. */
export const LABEL_COLOURS: Record<string, string> = {
  red: "红",
  orange: "橙",
  yellow: "黄",
  green: "绿",
  blue: "蓝",
  purple: "紫",
  grey: "灰",
};

/** The colour's name; grey for one that this page does not know. */
export const labelColour = (colour: string): string => (colour in LABEL_COLOURS ? colour : "grey");
