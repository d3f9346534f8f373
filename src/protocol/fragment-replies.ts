/**
 * The replies of the fragments of one divided request, as its protocol's coalesce.ts reads them.
 *
 *   fragment 0 -> view 0     each view has a cursor of its own, so that the replies can be read
 *   fragment 1 -> view 1     side by side
 *
 * Views serve one request after the other; `releaseViews` lets go of the bytes.
 */
import type { ByteChain } from "../lib/byte-chain.ts";
import { MessageBytes } from "../lib/message-bytes.ts";
import type { FailureReason } from "./failure.ts";
import { SERVER_CLOSED } from "./failure.ts";
import type { Request } from "./request.ts";
import type { SplitRequest } from "./split-request.ts";

/** Views kept for reuse; a request with more fragments makes some for itself. */
const VIEWS_KEPT = 256;

const views: MessageBytes[] = [];
/** How many of them show bytes. */
let viewsInUse = 0;

/** The reply of a fragment as view `index`, until another fragment takes that view. */
export function fragmentView(index: number, fragment: Request): MessageBytes {
  const view = (views[index] ??= new MessageBytes());
  if (fragment.replyChain !== null) view.useChain(fragment.replyChain);
  else view.usePiece(fragment.replyBytes, fragment.replyStart, fragment.replyEnd);
  if (index >= viewsInUse) viewsInUse = index + 1;
  return view;
}

/** View `index` as it was made last. */
export function viewAt(index: number): MessageBytes {
  return views[index]!;
}

export function releaseViews(): void {
  for (let i = 0; i < viewsInUse; i++) views[i]!.release();
  viewsInUse = 0;
  if (views.length > VIEWS_KEPT) views.length = VIEWS_KEPT;
}

/**
 * The fragment that decides if the whole is an error: in server index order the first one that has
 * words of its own, as a FIN of the server has none in nutcracker.
 * @param isError whether a reply is an error of the server
 */
export function firstError(
  request: SplitRequest,
  isError: (reply: MessageBytes) => boolean,
): Request | null {
  let found: Request | null = null;
  for (const fragment of request.fragments) {
    if (fragment.failure === null && !isError(fragmentView(0, fragment))) continue;
    if (found === null || found.failure === SERVER_CLOSED) found = fragment;
  }
  return found;
}

/**
 * Appends the error of a fragment: the server's words as they came, however long, or ours.
 * @returns false if they are ours
 */
export function appendError(
  fragment: Request,
  failureReply: (failure: FailureReason) => Buffer,
  target: ByteChain,
): boolean {
  if (fragment.failure !== null) return appendConstant(failureReply(fragment.failure), target);
  fragmentView(0, fragment).moveTo(target);
  return true;
}

/** Appends a reply of ours; returns false, as `coalesce` does for it. */
export function appendConstant(reply: Buffer, target: ByteChain): false {
  target.append(reply, 0, reply.length);
  return false;
}
