"""A secured MCP server."""

import os

# FastMCP reads its own settings when it is imported, from a .env that happens
# to lie in the working directory. Nobody who can write there configures us.
os.environ["FASTMCP_ENV_FILE"] = os.devnull
os.environ["FASTMCP_LOG_ENABLED"] = "false"
# Its spans cost each call a fifth and go nowhere unless a collector is set up;
# set it to native if one is. With off it still gathers what they would hold.
os.environ.setdefault("FASTMCP_TELEMETRY_MODE", "propagation_only")
