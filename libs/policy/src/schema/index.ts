export { SCHEMA_LIMITS, schemaCheck, SchemaRefused, type SchemaCheck, type SchemaProblem } from './schema-check.ts'
