/** What may be wider than the page scrolls by itself, with the keyboard as well. */
import type { JSX, ReactNode } from "react";

export function ScrollX(props: { readonly label: string; readonly children: ReactNode }): JSX.Element {
  return (
    <div className="scroll-x" tabIndex={0} role="group" aria-label={props.label}>
      {props.children}
    </div>
  );
}
