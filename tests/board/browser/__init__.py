"""A real browser for tests: found or installed, driven by Playwright, its pages held to WCAG by axe-core."""
