import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Which room may import which (docs/architecture.md): arrows point one way. `import type` is free, since it leaves
 * nothing behind at run time.
 */
const wiring = ['app.js', 'rooms.js', 'iam-rooms.js', 'account-rooms.js'];
const rooms = {
  connectors: ['managers', 'models', 'handlers', 'rpc', ...wiring],
  models: ['managers', 'handlers', 'rpc', ...wiring],
  managers: ['handlers', 'rpc', ...wiring],
  rpc: ['managers', 'models', 'handlers', 'connectors', ...wiring],
  handlers: ['models', 'connectors', ...wiring],
};

const directions = Object.entries(rooms).map(([room, closed]) => ({
  files: [`src/${room}/**/*.ts`],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: closed.map((other) => ({
          regex: `^(\\.\\./)+${other.replace('.', '\\.')}`,
          allowTypeImports: true,
          message: `${room} may not import ${other}`,
        })),
      },
    ],
  },
}));

export default defineConfig(
  globalIgnores(['**/*.d.mts', 'dist', 'src/gen', 'node_modules', '.data', '.venv', '.tools', 'coverage']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', { max: 45, skipComments: true, skipBlankLines: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'only config.ts reads the environment',
        },
      ],
    },
  },
  {
    // Flat lists: the methods of a service one after the other, every room made once.
    files: ['src/handlers/**/*.ts', 'src/rooms.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 120 }] },
  },
  ...directions,
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'drill/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
