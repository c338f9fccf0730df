/**
 * Colours of the quintiles, from worst to best: red to green as in the paper, with a light middle. The hues are
 * orange-red and blue-green, which readers with red-green colour blindness can tell apart. In grey print the digit of
 * the quintile in the cell says which end is which, because both ends are dark.
 */
export const COLOURS: readonly { readonly name: string; readonly hex: string }[] = [
  { name: "worst fifth", hex: "#e8775a" },
  { name: "second fifth", hex: "#f7b89a" },
  { name: "middle fifth", hex: "#f5f0d8" },
  { name: "fourth fifth", hex: "#a9d9c0" },
  { name: "best fifth", hex: "#4fae93" },
];
