import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '.runtime/**',
      'bench/results/**',
      'test/flow/release-*/**',
      'examples/**/*.js',
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Misreads mongoose's schema definitions, which are object literals by design.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      'no-restricted-globals': ['error', 'name', 'event'],
    },
  },
  {
    // process.env is read by entry files only; everything else is handed its settings.
    files: ['src/**/*.ts', 'workers/**/*.ts'],
    ignores: [
      'src/api/main.ts',
      'src/cli/db-indexes.ts',
      'src/cli/emissions.ts',
      'src/embedded/index.ts',
      'workers/main.ts',
      'packages/bot/src/index.ts',
    ],
    rules: { 'no-restricted-properties': ['error', { object: 'process', property: 'env' }] },
  },
  {
    // Schemas of the API's documents parse nothing, and settings are texts.
    files: ['src/**/*.ts', 'workers/**/*.ts'],
    ignores: ['src/http/docs/**', 'src/config.ts', 'src/settings/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.property.name=/^(min|max|length|nonempty|size)$/]:has(CallExpression[callee.object.name=z][callee.property.name=/^(string|array|set|map)$/])',
          message:
            'It throws for an object with an odd length. Use boundedText or boundedList of src/domain/bounded.ts.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'trials/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    rules: { 'no-undef': 'off', 'no-unused-vars': 'error' },
  },
);
