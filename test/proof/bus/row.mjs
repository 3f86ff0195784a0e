// A row of the table: what was injected, and what became of the messages.
export const rowOf = ({ published, handled, refused, disorder }, more) => ({
  published: published.size,
  refused,
  lost: [...published].filter((id) => !handled.has(id)).length,
  twice: [...handled.values()].filter((times) => times > 1).length,
  disorder,
  recoveryMs: undefined,
  promises: [],
  ...more,
})
