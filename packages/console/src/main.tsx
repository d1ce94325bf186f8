import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { keptTheme, showTheme } from "./theme.ts";
import "./styles/base.css";
import "./styles/bar.css";
import "./styles/frame.css";
import "./styles/overview.css";
import "./styles/bots.css";
import "./styles/page.css";
import "./styles/controls.css";
import "./styles/narrow.css";

showTheme(keptTheme());
const place = document.getElementById("root");
if (place === null) throw new Error("the page has no place for the console");
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
