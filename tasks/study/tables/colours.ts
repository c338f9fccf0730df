/**
 * Colours of the quintiles, worst to best. Red to green as in the paper, through a light middle; lightness falls
 * towards both ends and hues are orange-red against blue-green, so that the order is readable with red-green
 * colour blindness and in grey print (where the class digit decides).
 */
export const COLOURS: readonly { readonly name: string; readonly hex: string }[] = [
  { name: "worst fifth", hex: "#e8775a" },
  { name: "second fifth", hex: "#f7b89a" },
  { name: "middle fifth", hex: "#f5f0d8" },
  { name: "fourth fifth", hex: "#a9d9c0" },
  { name: "best fifth", hex: "#4fae93" },
];
