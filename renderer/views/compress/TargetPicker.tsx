import { useQuery } from '@tanstack/react-query';
import type { LinearFacts } from '../../../preload/contract/index.ts';
import { isTargets, optionsOf } from '../../state/passOptions.ts';
import { passTitles } from '../../state/passes.ts';
import { setOption } from '../../state/recipeEdits.ts';
import { chooseTargets, patternsOf, toggleTargets } from '../../state/targets.ts';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { formatCount, formatParameters } from '../../ui/format.ts';
import { Loaded } from '../Loaded.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { BlockDiagram } from './BlockDiagram.tsx';
import classes from './Plan.module.css';

/** The model's blocks: which layers the chosen pass works on, changed by a click. */
export function TargetPicker() {
  const { models, recipe } = useStudio();
  const model = usePart(recipe.store, (state) => state.model);
  const query = useQuery({
    queryKey: ['linears', model],
    enabled: model !== null,
    queryFn: () => models.linears(model ?? ''),
  });
  return (
    <section aria-label="Targets" className={classes.section}>
      <Loaded query={query}>{(linears) => <Targets linears={linears} />}</Loaded>
    </section>
  );
}

function Targets({ linears }: { linears: readonly LinearFacts[] }) {
  const { recipe } = useStudio();
  const step = usePart(recipe.store, (state) => state.step);
  const pass = usePart(recipe.store, ({ reading }) => reading.draft.passes[step]);
  const isLocked = usePart(recipe.store, ({ reading }) => reading.kind === 'unreadable');
  const option = pass && optionsOf(pass.pass).find(isTargets);
  const written = pass?.[option?.key ?? ''] ?? option?.standard;
  const patterns = Array.isArray(written) ? written.map(String) : [];
  const names = linears.map(({ name }) => name);
  const chosen = chooseTargets(names, patterns);
  const isFixed = !option || isLocked;
  const touched = chosen.kind === 'chosen' ? chosen.names : new Set<string>();
  const hit = linears.filter(({ name, isFloat }) => touched.has(name) && isFloat);
  const weights = hit.reduce((sum, { rows, columns }) => sum + rows * columns, 0);

  const toggle = (clicked: readonly string[]): void => {
    if (option) {
      const next = patternsOf(names, toggleTargets(touched, clicked));
      recipe.edit(setOption(step, option.key, next));
    }
  };
  return (
    <>
      <div className={classes.heading}>
        <h2>
          {pass && option
            ? `Targets of pass ${step + 1}, ${passTitles[pass.pass].title}`
            : 'Layers of the model'}
        </h2>
        <span className={classes.count}>
          {option
            ? `${formatCount(hit.length)} of ${formatCount(linears.length)} layers · ${formatParameters(weights)} weights`
            : `${formatCount(linears.length)} layers`}
        </span>
      </div>
      <BlockDiagram linears={linears} chosen={touched} isFixed={isFixed} onToggle={toggle} />
      <p className={classes.hint}>
        {!pass
          ? 'Add a pass to choose what it works on.'
          : option
            ? 'Click a layer, the number of a block or the name of a row to choose it or to leave it out.'
            : 'This pass works on the whole model: it has no targets to choose.'}
      </p>
      {chosen.kind === 'failed' && (
        <ErrorPanel
          failure={chosen.failure}
          steps={
            option
              ? [
                  {
                    label: 'Take the usual layers',
                    run: () => recipe.edit(setOption(step, option.key, undefined)),
                  },
                ]
              : []
          }
        />
      )}
    </>
  );
}
