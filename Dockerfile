# The app with CPU builds of PyTorch, run by a user who can write nothing but /data.
FROM python:3.11-slim

# The index of PyTorch's CPU builds, as its install page names it: without, Linux gets CUDA's.
ARG TORCH_INDEX=""
# requirements-cluster.txt where a cluster trains: for the app and for its workers.
ARG REQUIREMENTS=requirements.txt

RUN useradd --no-create-home explorer && mkdir /data && chown explorer /data
WORKDIR /app
COPY requirements.txt requirements-cluster.txt ./
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r "$REQUIREMENTS"
COPY . .

USER explorer
# Runs and MNIST outlive the container in a volume; a font cache and the like may go.
ENV RUNS_ROOT=/data/runs MNIST_ROOT=/data HOME=/tmp PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8501
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
CMD ["streamlit", "run", "streamlit_app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
