// Keys of frames. A frame that runs in place of a node has the node's path; no path begins with a dollar sign or has a bar in it.

/** Key of the flow's own frame. */
export const ROOT = ''
/** Key of the frame of the flow's error handler. */
export const HANDLER = '$onError'
/** No frame has this key: nobody waits for an undo but the end of the run. */
export const NOBODY = '$undo'

/** Key of the frame of a part. */
export const partKey = (path: string, part: number | string): string => `${path}|${part}`
