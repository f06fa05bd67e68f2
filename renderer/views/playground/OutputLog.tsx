import {
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type ClipboardEvent,
  type KeyboardEvent,
  type MouseEvent,
} from 'react';
import type { GenerateRequest } from '../../../preload/contract/index.ts';
import { isRunning, type RunState } from '../../state/run.ts';
import { paragraphStarts, tokenAt } from '../../state/tokens.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './OutputLog.module.css';
import { Paragraph } from './Paragraph.tsx';
import { TokenPopover, type Place } from './TokenPopover.tsx';
import { useLineStarts } from './useLineStarts.ts';

/** How near the end, in pixels, still counts as reading along. */
const nearEnd = 32;

/** The streamed tokens. Follows the end while the reader is there; a token opens on click or Enter. */
export function OutputLog({ state }: { state: Exclude<RunState, { kind: 'idle' }> }) {
  const { navigation } = useStudio();
  const colored = usePart(navigation.store, (current) => current.colored);
  const { blocks, request, count } = state.run;
  const scroller = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [cursor, setCursor] = useState<number | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const text = useRef<HTMLDivElement>(null);
  const paragraphs = useMemo(() => paragraphStarts(blocks), [blocks]);
  const lineStarts = useLineStarts(text, paragraphs, count, blocks[0]?.tokens[0]);
  const starts = [...new Set([...paragraphs, ...lineStarts])].toSorted((a, b) => a - b);
  const lead = useMemo(() => <Kept request={request} />, [request]);

  useLayoutEffect(() => {
    follows.current = true;
    // Another run is read from its beginning on.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [request]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && follows.current) element.scrollTop = element.scrollHeight;
    // New tokens move the end.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [blocks]);
  // Another run has other tokens: nothing of it is selected, and its end is where reading starts.
  const [shownRequest, setShownRequest] = useState(request);
  if (shownRequest !== request) {
    setShownRequest(request);
    setCursor(null);
    setPlace(null);
  }

  const spanAt = (index: number): HTMLElement | null =>
    scroller.current?.querySelector<HTMLElement>(`[data-token="${index}"]`) ?? null;
  const openAt = (index: number): void => {
    const span = spanAt(index);
    if (!span) return;
    setCursor(index);
    // A token may break over lines: the popover points at its larger part.
    const [rect] = [...span.getClientRects()].toSorted((a, b) => b.width - a.width);
    const frame = text.current?.getBoundingClientRect();
    if (!frame || !rect) return;
    const { width, height } = rect;
    setPlace({ index, left: rect.left - frame.left, top: rect.top - frame.top, width, height });
  };
  const onClick = (event: MouseEvent): void => {
    const span = event.target instanceof Element ? event.target.closest('[data-token]') : null;
    const isSelecting = window.getSelection()?.isCollapsed === false;
    if (span instanceof HTMLElement && !isSelecting) openAt(Number(span.dataset['token']));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (place || count === 0) return;
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const start = step > 0 ? -1 : count;
      const next = Math.min(count - 1, Math.max(0, (cursor ?? start) + step));
      setCursor(next);
      spanAt(next)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && cursor !== null) {
      event.preventDefault();
      openAt(cursor);
    }
  };
  const token = place && tokenAt(blocks, place.index);
  return (
    // A log that scrolls must be reachable by keyboard, and its tokens are reached by arrow keys.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={scroller}
      role="log"
      aria-label="Output"
      aria-live="off"
      aria-busy={isRunning(state)}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className={classes.log}
      data-colored={colored || undefined}
      onClick={onClick}
      onKeyDown={onKeyDown}
      onCopy={copyExactly}
      onScroll={({ currentTarget }) => {
        const { scrollHeight, scrollTop, clientHeight } = currentTarget;
        follows.current = scrollHeight - scrollTop - clientHeight < nearEnd;
      }}
    >
      <div ref={text} className={classes.text}>
        {starts.map((start, index) => (
          <Paragraph
            key={start}
            blocks={blocks}
            start={start}
            end={starts[index + 1] ?? count}
            cursor={cursor}
            lead={start === 0 ? lead : null}
            goesOn={lineStarts.includes(start)}
          />
        ))}
        {place && token && (
          <TokenPopover
            place={place}
            token={token}
            onClose={() => {
              setPlace(null);
              scroller.current?.focus({ preventScroll: true });
            }}
          />
        )}
      </div>
    </div>
  );
}

/** The text of an earlier run that this one went on behind. */
function Kept({ request: { prefix, prefixText } }: { request: GenerateRequest }) {
  if (prefix.length === 0) return null;
  return prefixText === undefined ? (
    <span className={classes.missing}>{prefix.length} kept tokens</span>
  ) : (
    <span className={classes.kept} title="Kept from the run this one branched off">
      {prefixText}
    </span>
  );
}

/** Copies what the model wrote, without the line breaks that the layout adds. */
function copyExactly(event: ClipboardEvent): void {
  const selection = window.getSelection();
  if (!selection || selection.rangeCount === 0) return;
  event.preventDefault();
  const text = selection.getRangeAt(0).cloneContents().textContent;
  event.clipboardData.setData('text/plain', text);
}
