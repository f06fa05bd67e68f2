import {
  memo,
  useLayoutEffect,
  useMemo,
  useRef,
  type KeyboardEvent,
  type PointerEvent,
} from 'react';
import classes from './parts.module.css';

/** A piece of text as it is drawn. */
export interface Piece {
  readonly text: string;
  /** A colour of the theme that lies under it. */
  readonly shade?: string | undefined;
  /** Set apart by a frame. */
  readonly mark?: 'divergence' | undefined;
  /** Quieter than the rest. */
  readonly dim?: boolean | undefined;
}

interface TokenTextProps {
  label: string;
  pieces: readonly Piece[];
  cursor: number | null;
  onCursor: (index: number) => void;
}

/** So many pieces are drawn anew when one of them changes. */
const chunk = 64;

/** Text whose pieces can be pointed at, clicked, and walked through by arrow keys. */
export function TokenText({ label, pieces, cursor, onCursor }: TokenTextProps) {
  const frame = useRef<HTMLDivElement>(null);
  const chunks = useMemo(
    () =>
      Array.from({ length: Math.ceil(pieces.length / chunk) }, (_, at) =>
        pieces.slice(at * chunk, (at + 1) * chunk),
      ),
    [pieces],
  );
  const point = (event: PointerEvent): void => {
    const span = event.target instanceof Element ? event.target.closest('[data-piece]') : null;
    if (span instanceof HTMLElement) onCursor(Number(span.dataset['piece']));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = pieces.length - 1;
    const at = cursor ?? -1;
    const next = {
      ArrowRight: Math.min(last, at + 1),
      ArrowLeft: Math.max(0, at - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    onCursor(next);
  };
  useLayoutEffect(() => {
    const element = frame.current;
    const span = element?.querySelector(`[data-piece="${cursor}"]`);
    if (!(span instanceof HTMLElement) || !element) return;
    // Only the text scrolls, never the page around it.
    const { offsetTop, offsetHeight } = span;
    const { scrollTop, clientHeight } = element;
    if (offsetTop < scrollTop) element.scrollTop = offsetTop - 8;
    else if (offsetTop + offsetHeight > scrollTop + clientHeight)
      element.scrollTop = offsetTop + offsetHeight - clientHeight + 8;
  }, [cursor]);
  return (
    // One stop for Tab; within it arrows walk from piece to piece, and the readout says their values.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={frame}
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- no fieldset: nothing is filled in
      role="group"
      aria-label={label}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className={classes.text}
      onPointerOver={point}
      onPointerDown={point}
      onKeyDown={onKeyDown}
    >
      {chunks.map((part, at) => (
        <Chunk
          // A chunk is known by its place alone.
          // oxlint-disable-next-line react/no-array-index-key
          key={at}
          pieces={part}
          start={at * chunk}
          cursor={cursor !== null && Math.floor(cursor / chunk) === at ? cursor - at * chunk : null}
        />
      ))}
    </div>
  );
}

interface ChunkProps {
  pieces: readonly Piece[];
  start: number;
  /** Index within the chunk. */
  cursor: number | null;
}

const Chunk = memo(function Chunk({ pieces, start, cursor }: ChunkProps) {
  return pieces.map(({ text, shade, mark, dim }, index) => (
    <span
      // oxlint-disable-next-line react/no-array-index-key
      key={index}
      data-piece={start + index}
      data-mark={mark}
      data-dim={dim || undefined}
      data-cursor={index === cursor || undefined}
      style={shade === undefined ? undefined : { background: `var(--lathe-${shade})` }}
    >
      {text.replaceAll('\n', '↵\n')}
    </span>
  ));
});
