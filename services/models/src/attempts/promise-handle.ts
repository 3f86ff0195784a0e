// A promise that somebody else settles.

export type PromiseHandle<T> = {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

/** Makes one. */
export const promiseHandle = <T>(): PromiseHandle<T> => {
  let [resolve, reject]: [PromiseHandle<T>['resolve'], PromiseHandle<T>['reject']] = [() => undefined, () => undefined]
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
