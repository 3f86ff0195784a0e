/** Variables of this service alone; those of every service are read by the kit. Empty counts as absent. */
export const readModelsEnvironment = (source: Readonly<Record<string, string | undefined>>): { readonly openaiModel?: string } => {
  const openaiModel = source['OPENAI_MODEL']?.trim() ?? ''
  return openaiModel === '' ? {} : { openaiModel }
}
