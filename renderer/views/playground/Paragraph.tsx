import { memo, type ReactNode } from 'react';
import { probabilityShade } from '../../charts/probability.ts';
import { tokensBetween, type TokenBlock } from '../../state/tokens.ts';
import classes from './OutputLog.module.css';

interface PieceProps {
  blocks: readonly TokenBlock[];
  /** Indices of the first token and of the one behind the last. */
  start: number;
  end: number;
  cursor: number | null;
}

interface ParagraphProps extends PieceProps {
  /** Stands before the first token. */
  lead: ReactNode;
  /** Whether the paragraph goes on with a line that was wrapped, see `useLineStarts`. */
  goesOn: boolean;
}

/** How many tokens are drawn as one: while text streams, only the last such piece is drawn anew. */
const pieceLength = 32;

/**
 * A stretch of text that is laid out on its own, and not at all while it is out of sight. The
 * tokens between two indices of a run never change, so that the indices say whether to draw.
 */
export const Paragraph = memo(
  function Paragraph(props: ParagraphProps) {
    const { blocks, start, end, cursor, lead, goesOn } = props;
    const pieces: number[] = [];
    for (let at = start; at < end; at += pieceLength) pieces.push(at);
    return (
      <div className={classes.paragraph} data-goes-on={goesOn || undefined}>
        {lead}
        {pieces.map((at) => (
          <Piece
            key={at}
            blocks={blocks}
            start={at}
            end={Math.min(end, at + pieceLength)}
            cursor={cursor}
          />
        ))}
      </div>
    );
  },
  (before, after) => before.lead === after.lead && isSame(before, after),
);

const Piece = memo(function Piece({ blocks, start, end, cursor }: PieceProps) {
  return tokensBetween(blocks, start, end).map(({ text, logprob }, offset) => {
    const index = start + offset;
    return (
      <span
        key={index}
        data-token={index}
        data-p={probabilityShade(logprob)}
        data-cursor={index === cursor || undefined}
      >
        {text}
      </span>
    );
  });
}, isSame);

function isSame(before: PieceProps, after: PieceProps): boolean {
  return (
    before.start === after.start &&
    before.end === after.end &&
    cursorWithin(before) === cursorWithin(after) &&
    // Another run begins with another token.
    before.blocks[0]?.tokens[0] === after.blocks[0]?.tokens[0]
  );
}

const cursorWithin = ({ cursor, start, end }: PieceProps): number | null =>
  cursor !== null && cursor >= start && cursor < end ? cursor : null;
