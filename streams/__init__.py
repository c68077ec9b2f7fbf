"""The stages that judge the stream: measure, judge, page and replay."""
