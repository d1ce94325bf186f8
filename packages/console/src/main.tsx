import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import "./styles/base.css";
import "./styles/bar.css";
import "./styles/page.css";
import "./styles/controls.css";
import "./styles/narrow.css";

const place = document.getElementById("root");
if (place === null) throw new Error("the page has no place for the console");
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
