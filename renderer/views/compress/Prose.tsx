/** A sentence in which `words` between backticks are names. */
export function Prose({ text }: { text: string }) {
  return text.split('`').map((part, index) =>
    index % 2 === 0 ? (
      part
    ) : (
      // Parts of one sentence have no other name than their place.
      // oxlint-disable-next-line react/no-array-index-key
      <code key={index} className="mono">
        {part}
      </code>
    ),
  );
}
