// Print: each plot becomes a picture, which shrinks to the width of the paper. Bokeh's own elements keep their width.
(function () {
  "use strict";
  window.addEventListener("beforeprint", () => {
    for (const view of Bokeh.index.roots) {
      const container = view.el.parentElement;
      // The toolbars in the body are roots without a name; a folded plot has no size.
      if (!view.model.name || !view.bbox || !view.bbox.width || !view.el.offsetParent) continue;
      const { canvas } = view.export("png", true);
      canvas.className = "printed";
      canvas.style.width = `${view.bbox.width}px`;
      container.classList.add("drawn");
      container.append(canvas);
    }
  });
  window.addEventListener("afterprint", () => {
    for (const picture of document.querySelectorAll(".printed")) {
      picture.parentElement.classList.remove("drawn");
      picture.remove();
    }
  });
})();
