/** The font of the figures: Arimo, whose letters are as wide as those of Arial and Helvetica. */
import bold from "@expo-google-fonts/arimo/700Bold/Arimo_700Bold.ttf?file";
import regular from "@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf?file";

/** Where Arimo is not installed, an SVG shows with a font of the same widths. */
export const FONT_FAMILY = "Arimo, Arial, Helvetica, Liberation Sans, sans-serif";

/** Paths of TrueType files. */
export const FONTS = { regular, bold } as const;
