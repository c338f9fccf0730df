import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "cache/", "node_modules/", "examples/**/cache/"] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "no-duplicate-imports": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/dot-notation": ["error", { allowIndexSignaturePropertyAccess: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // An environment variable that is empty counts as none.
      "@typescript-eslint/prefer-nullish-coalescing": ["error", { ignorePrimitives: { string: true } }],
      // An ArrayLike cannot be iterated.
      "@typescript-eslint/prefer-for-of": "off",
      // An index signature can say what its keys are.
      "@typescript-eslint/consistent-indexed-object-style": "off",
      // Typed arrays are read in loops that know their lengths.
      "@typescript-eslint/no-non-null-assertion": "off",
      // Takes what changes during an `await` for what was found before it.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // What JSON or a thread's message holds is claimed where it is read.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      // Objects with methods that do not use `this` are handed around here; tsc finds lost receivers of classes.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    files: ["src/report/terminal.ts"],
    // Takes an object whose keys are an enum's members, as listr2 wants its colours, for a value of that enum.
    rules: { "@typescript-eslint/no-unsafe-enum-assignment": "off" },
  },
  {
    files: ["web/**", "src/ui/**"],
    rules: {
      // Names, logs and cells are untrusted: the page shows them as text nodes.
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML|srcdoc|createContextualFragment)$/]",
          message: "Data must not become markup: make text nodes.",
        },
        {
          selector: "JSXAttribute[name.name=/^(dangerouslySetInnerHTML|srcdoc|innerHTML)$/i]",
          message: "Data must not become markup: make text nodes.",
        },
      ],
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false } },
  },
);
