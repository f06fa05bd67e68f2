import { memo } from 'react';
import { probabilityShade } from '../../charts/probability.ts';
import type { TokenBlock } from '../../state/tokens.ts';
import classes from './OutputLog.module.css';

/** Blocks up to a line break: they are laid out on their own, so that a long text stays cheap. */
export function paragraphsOf(blocks: readonly TokenBlock[]): (readonly TokenBlock[])[] {
  const paragraphs: TokenBlock[][] = [];
  let open: TokenBlock[] = [];
  for (const block of blocks) {
    open.push(block);
    if (block.tokens.at(-1)?.text.endsWith('\n')) {
      paragraphs.push(open);
      open = [];
    }
  }
  if (open.length > 0) paragraphs.push(open);
  return paragraphs;
}

interface ParagraphProps {
  blocks: readonly TokenBlock[];
  cursor: number | null;
}

/** Draws nothing anew while its blocks are the same objects. */
export const Paragraph = memo(
  function Paragraph({ blocks, cursor }: ParagraphProps) {
    return (
      <div className={classes.paragraph}>
        {blocks.map((block) => {
          const within =
            cursor !== null && cursor >= block.start && cursor < block.start + block.tokens.length;
          return <Block key={block.start} block={block} cursor={within ? cursor : null} />;
        })}
      </div>
    );
  },
  (before, after) =>
    before.cursor === after.cursor &&
    before.blocks.length === after.blocks.length &&
    before.blocks.every((block, index) => block === after.blocks[index]),
);

const Block = memo(function Block({ block, cursor }: { block: TokenBlock; cursor: number | null }) {
  return block.tokens.map(({ text, logprob }, offset) => {
    const index = block.start + offset;
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
});
