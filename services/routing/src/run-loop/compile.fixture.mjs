// For child processes of specs: TypeScript from the sources, with the decorators that Node itself leaves in. Used by `node --import`.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { transformSync } from '@swc/core'

const jsc = { target: 'es2022', parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true } }

registerHooks({
  load: (url, context, next) => {
    if (!url.endsWith('.ts')) return next(url, context)
    const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), { swcrc: false, module: { type: 'es6' }, jsc })
    return { format: 'module', source: code, shortCircuit: true }
  },
})
