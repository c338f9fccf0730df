/** Plain text as LaTeX. */

/**
 * Escapes what LaTeX reads as commands, and writes signs that pdfLaTeX's fonts lack as commands. Letters of other
 * scripts stay as they are; XeLaTeX and LuaLaTeX can set them.
 */
export function tex(text: string): string {
  return text.replace(/\s+/g, " ").replace(/./gu, (char) => COMMANDS[char] ?? char);
}

const COMMANDS: { readonly [char: string]: string } = {
  "#": "\\#",
  $: "\\$",
  "%": "\\%",
  "&": "\\&",
  _: "\\_",
  "{": "\\{",
  "}": "\\}",
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  '"': "''",
  // Bare, `[` and `*` at the beginning of a row would be arguments of the command before it.
  "[": "{[}",
  "*": "{*}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  "±": "$\\pm$",
  "×": "$\\times$",
  "✗": "$\\times$",
  "−": "$-$",
  "≤": "$\\leq$",
  "≥": "$\\geq$",
  "≠": "$\\neq$",
  "≈": "$\\approx$",
  "→": "$\\rightarrow$",
  "–": "--",
  "—": "---",
  "…": "\\dots{}",
  "“": "``",
  "”": "''",
  "‘": "`",
  "’": "'",
  "°": "$^\\circ$",
  "²": "$^2$",
  "³": "$^3$",
  µ: "$\\mu$",
  α: "$\\alpha$",
  β: "$\\beta$",
  γ: "$\\gamma$",
  δ: "$\\delta$",
  ε: "$\\epsilon$",
  θ: "$\\theta$",
  λ: "$\\lambda$",
  μ: "$\\mu$",
  π: "$\\pi$",
  ρ: "$\\rho$",
  σ: "$\\sigma$",
  τ: "$\\tau$",
  φ: "$\\phi$",
  ω: "$\\omega$",
};
