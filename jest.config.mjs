// The condition '@baton/source' makes every spec run on live TypeScript, without a build.
const base = {
  testEnvironmentOptions: { customExportConditions: ['@baton/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true } },
      },
    ],
  },
}
const project = (displayName, testMatch, extra = {}) => ({ ...base, displayName, testMatch, ...extra })

export default {
  workerIdleMemoryLimit: '512MB',
  projects: [
    project('unit', ['<rootDir>/{libs,services}/*/src/**/*.spec.ts', '<rootDir>/cli/src/**/*.spec.ts', '<rootDir>/test/*.spec.ts'], {
      testPathIgnorePatterns: ['/node_modules/', '\\.int\\.spec\\.ts$'],
    }),
    // Real servers on a busy machine: a test that names no time of its own has this one.
    project('integration', ['<rootDir>/{libs,services}/*/src/**/*.int.spec.ts', '<rootDir>/test/**/*.int.spec.ts'], {
      testTimeout: 30_000,
    }),
  ],
}
